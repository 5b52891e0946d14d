#include "contract/ledger.hpp"

#include <fstream>
#include <mutex>
#include <stdexcept>

namespace plexsphere::contract {

namespace fs = std::filesystem;

namespace {

// Distinct texts, each written when it first comes.
class File {
 public:
  explicit File(const fs::path& path) : path_(path), file_(path, std::ios::trunc) {}

  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (!seen_.insert(text).second) {
      return;
    }
    if (!(file_ << text << std::endl)) {
      throw std::runtime_error("the contract ledger " + path_.string() + " cannot be written");
    }
  }

 private:
  fs::path path_;
  std::mutex mutex_;  // of what follows
  std::ofstream file_;
  std::set<std::string> seen_;
};

constexpr auto kEntries = ".txt";
constexpr auto kViolations = ".violations";

fs::path own_file(const char* extension) {
  // A run without a violation must not leave those of the run before.
  static const fs::path stem = [] {
    fs::create_directories(ledger_directory());
    const auto path = ledger_directory() / fs::read_symlink("/proc/self/exe").filename();
    for (const char* each : {kEntries, kViolations}) {
      fs::remove(path.string() + each);
    }
    return path;
  }();
  return stem.string() + extension;
}

// Calls `use` with the path of every file of that kind.
template <typename Use>
void for_each_file(const char* extension, Use use) {
  if (fs::exists(ledger_directory())) {
    for (const auto& file : fs::directory_iterator(ledger_directory())) {
      if (file.path().extension() == extension) {
        use(file.path());
      }
    }
  }
}

}  // namespace

std::string ledger_line(const std::string& operation_id, int status, const std::string& code) {
  return operation_id + " " + std::to_string(status) + (code.empty() ? "" : " " + code);
}

void enter(const std::string& line) {
  static File ledger(own_file(kEntries));
  ledger.add(line);
}

void note_violation(const std::string& text) {
  static File violations(own_file(kViolations));
  violations.add(text);
}

fs::path ledger_directory() {
  return PLEXSPHERE_CONTRACT_LEDGER;
}

std::set<std::string> all_entries() {
  std::set<std::string> out;
  for_each_file(kEntries, [&](const fs::path& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      out.insert(line);
    }
  });
  return out;
}

std::string all_violations() {
  std::string out;
  for_each_file(kViolations, [&](const fs::path& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      out += path.stem().string() + ": " + line + "\n";
    }
  });
  return out;
}

}  // namespace plexsphere::contract
