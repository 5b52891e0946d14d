// Gives a fuzz target every file of a corpus, and then mutations of them: the same ones in every
// run, so that ctest finds what it found before. A soak with libFuzzer finds what is new.
//
//   fuzz_http_replay CORPUS_DIRECTORY MUTATIONS
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kLargestInput = 16 * 1024;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// In the order of their names: the mutations must not depend on the file system.
std::vector<std::string> read_corpus(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path());
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> out;
  for (const auto& name : names) {
    std::ifstream file(name, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return out;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string out = any_input();
    for (std::size_t left = 1 + below(4); left > 0; --left) {
      mutate(out);
    }
    out.resize(std::min(out.size(), kLargestInput));
    return out;
  }

 private:
  // Uniform enough, and the same everywhere, which std::uniform_int_distribution is not.
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  const std::string& any_input() { return corpus_[below(corpus_.size())]; }
  std::string any_piece(const std::string& of) {
    return of.substr(below(of.size()), 1 + below(24));
  }

  void mutate(std::string& text) {
    static constexpr std::string_view kTokens[] = {
        "\r\n", "\n",       "\r",  "\r\n\r\n", " ",  "\t",      ":", "0\r\n\r\n", "HTTP/1.1",
        "Host", "HTTP/1.0", "%00", "%",        "//", "chunked", ",", ";",         "\x80"};
    const std::size_t at = below(text.size() + 1);
    switch (below(7)) {
      case 0:
        text.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        text.insert(at, kTokens[below(std::size(kTokens))]);
        break;
      case 2:
        text.erase(at, 1 + below(8));
        break;
      case 3:
        text.insert(at, text.empty() ? std::string() : any_piece(text));
        break;
      case 4: {
        const auto& other = any_input();
        text.replace(at, below(24), other.empty() ? std::string() : any_piece(other));
        break;
      }
      case 5:
        if (at < text.size()) {
          text[at] = static_cast<char>(below(256));
        }
        break;
      default:
        if (at < text.size()) {
          text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        }
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_{20'240'229};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: fuzz_http_replay CORPUS_DIRECTORY MUTATIONS\n", stderr);
    return 2;
  }
  const auto corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s holds no inputs\n", argv[1]);
    return 1;
  }
  for (const auto& input : corpus) {
    run(input);
  }
  Mutator mutator(corpus);
  const long mutations = std::strtol(argv[2], nullptr, 10);
  for (long i = 0; i < mutations; ++i) {
    run(mutator.next());
  }
  std::printf("%zu inputs and %ld mutations of them: every statement held\n", corpus.size(),
              mutations);
  return 0;
}
