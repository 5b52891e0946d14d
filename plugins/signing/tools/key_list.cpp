#include "key_list.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "app/sha256.hpp"
#include "domain/key_set_document.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/time.hpp"
#include "store/file_io.hpp"

namespace plexsphere::signing::journal_tool {
namespace {

namespace fs = std::filesystem;

// The file is the document's signature, in hexadecimal on a line of its own, and the document. The
// signature's key is the signer's secret; here the document is taken as the signer's disk has it.
Outcome<KeySet> read_key_set(const Directory& directory, const std::string& name) {
  const auto text = read_file(directory, name, kMaxDocumentBytes + 256);
  if (!text.ok()) {
    return text.fault();
  }
  const std::string& bytes = text.value().value_or("");
  const std::size_t line = bytes.find('\n');
  if (line == std::string::npos) {
    return Fault{FaultKind::kInternal, directory.path + "/" + name + ": damaged"};
  }
  auto set = parse_key_set(std::string_view(bytes).substr(line + 1));
  return set.ok()
             ? std::move(set)
             : Fault{FaultKind::kInternal, directory.path + "/" + name + ": " + set.fault().cause};
}

std::string_view word_of(KeyState state) {
  switch (state) {
    case KeyState::kActive:
      return "active";
    case KeyState::kRotating:
      return "rotating";
    case KeyState::kRetired:
      break;
  }
  return "retired";
}

std::string raw_sha256(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string line_of(const Scope& scope, const KeyEntry& key) {
  const PublicKey& bytes = key.public_key(Purpose::kCheckpoints);
  const sdk::NoteKey note{sdk::checkpoint::origin_of(scope.text()),
                          {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
  return sdk::verifier_key(&raw_sha256, note) + " " + std::string(word_of(key.state)) + " " +
         sdk::rfc3339(key.valid_from) + "\n";
}

}  // namespace

bool list_keys(const std::string& path, std::ostream& out, std::ostream& err) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator each(path, error), end; !error && each != end;
       each.increment(error)) {
    if (each->path().extension() == ".keyset") {
      names.push_back(each->path().filename().string());
    }
  }
  const int fd = error ? -1 : ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || names.empty()) {
    err << path << (fd < 0 ? ": cannot be read\n" : ": holds no key set\n");
    return false;
  }
  std::ranges::sort(names);
  std::string lines;
  for (const std::string& name : names) {
    const auto set = read_key_set({fd, path}, name);
    if (!set.ok()) {
      err << set.fault().cause << '\n';
      ::close(fd);
      return false;
    }
    for (const KeyEntry& key : set.value().keys()) {
      lines += line_of(set.value().scope(), key);
    }
  }
  ::close(fd);
  out << lines;
  return true;
}

}  // namespace plexsphere::signing::journal_tool
