#include "host/apps/plexctl/entry_reader.hpp"

#include <charconv>
#include <fstream>
#include <string>
#include <utility>

#include "host/apps/plexctl/audit_files.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::plexctl {
namespace {

// A line as exports have it: an object of these four members, strings without escapes and a number.
class FlatLine {
 public:
  explicit FlatLine(std::string_view line) : left_(line) {}

  // Nothing for any other line, which may be sound JSON all the same.
  std::optional<ExportedEntry> read() {
    ExportedEntry entry;
    int members = 0;  // a bit for each
    bool sound = eat('{');
    do {
      sound = sound && member(entry, members);
    } while (sound && eat(','));
    if (!sound || !eat('}') || !left_.empty() || members != kAll) {
      return std::nullopt;
    }
    entry.content_hash = sha256(entry.canonical_bytes);
    return entry;
  }

 private:
  static constexpr int kAll = 15;

  bool member(ExportedEntry& entry, int& members) {
    const auto name = string();
    if (!name || !eat(':')) {
      return false;
    }
    if (*name == "seq") {
      return first(1, members) && number(entry.seq);
    }
    const auto value = string();
    if (!value) {
      return false;
    }
    if (*name == "prev_hash") {
      entry.prev_hash = decoded(sdk::hex_decode(*value));
      return first(2, members);
    }
    if (*name == "entry_hash") {
      entry.entry_hash = decoded(sdk::hex_decode(*value));
      return first(4, members);
    }
    entry.canonical_bytes = decoded(sdk::base64_decode(*value));
    return *name == "canonical_bytes" && first(8, members);
  }
  static bool first(int bit, int& members) {
    const bool fresh = (members & bit) == 0;
    members |= bit;
    return fresh;
  }
  bool eat(char c) {
    if (!left_.starts_with(c)) {
      return false;
    }
    left_.remove_prefix(1);
    return true;
  }
  std::optional<std::string_view> string() {
    const std::size_t end = eat('"') ? left_.find('"') : std::string_view::npos;
    const std::string_view text = left_.substr(0, end);
    if (end == std::string_view::npos || text.find('\\') != std::string_view::npos) {
      return std::nullopt;
    }
    left_.remove_prefix(end + 1);
    return text;
  }
  bool number(std::uint64_t& out) {
    const auto read = std::from_chars(left_.data(), left_.data() + left_.size(), out);
    const bool sound = read.ec == std::errc{} && !left_.starts_with('0');
    left_.remove_prefix(static_cast<std::size_t>(read.ptr - left_.data()));
    return sound && out < kMostEntries;
  }

  std::string_view left_;
};

}  // namespace

Failure not_of_an_export(std::size_t number, const std::filesystem::path& path) {
  return {ExitCode::incomplete, "incomplete: line " + std::to_string(number) + " of '" +
                                    path.string() + "' is not one of an export"};
}

std::optional<ExportedEntry> entry_of_line(std::string_view line) {
  if (line.size() > kMostLine) {
    return std::nullopt;
  }
  if (auto entry = FlatLine(line).read()) {
    return entry;
  }
  const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  return entry_of(json);
}

EntryReader::EntryReader(std::filesystem::path path)
    : path_(std::move(path)), thread_([this] { read(); }) {}

EntryReader::~EntryReader() {
  {
    const std::lock_guard lock(mutex_);
    unwanted_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::vector<ExportedEntry> EntryReader::next() {
  std::vector<ExportedEntry> batch;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ || !batches_.empty(); });
    if (!batches_.empty()) {
      batch = std::move(batches_.front());
      batches_.pop_front();
    } else if (failed_) {
      std::rethrow_exception(failed_);
    }
  }
  changed_.notify_all();
  return batch;
}

bool EntryReader::put(std::vector<ExportedEntry> batch) {
  bool wanted = true;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return unwanted_ || batches_.size() < kAhead; });
    wanted = !unwanted_;
    if (!batch.empty()) {
      batches_.push_back(std::move(batch));
    }
  }
  changed_.notify_all();
  return wanted;
}

void EntryReader::read() {
  std::vector<ExportedEntry> batch;
  std::exception_ptr failed;
  try {
    std::ifstream in(path_);
    if (!in) {
      throw Failure(ExitCode::incomplete, "incomplete: '" + path_.string() + "' cannot be read");
    }
    std::size_t number = 0;
    bool wanted = true;
    for (std::string line; wanted && std::getline(in, line);) {
      ++number;
      auto entry = entry_of_line(line);
      if (!entry) {
        throw not_of_an_export(number, path_);
      }
      batch.push_back(std::move(*entry));
      if (batch.size() == kBatch) {
        wanted = put(std::exchange(batch, {}));
      }
    }
  } catch (...) {
    failed = std::current_exception();
  }
  put(std::move(batch));  // what came before a fault is checked before it is told
  {
    const std::lock_guard lock(mutex_);
    failed_ = failed;
    ended_ = true;
  }
  changed_.notify_all();
}

}  // namespace plexsphere::plexctl
