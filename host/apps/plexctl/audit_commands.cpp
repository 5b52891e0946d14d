#include "host/apps/plexctl/audit_commands.hpp"

#include <Poco/URI.h>

#include <fstream>
#include <functional>
#include <optional>
#include <ostream>
#include <system_error>

#include "host/apps/plexctl/audit_agreement.hpp"
#include "host/apps/plexctl/audit_check.hpp"
#include "host/apps/plexctl/audit_files.hpp"
#include "host/apps/plexctl/audit_proof.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/entry_reader.hpp"
#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/identity_commands.hpp"
#include "host/apps/plexctl/json_text.hpp"

namespace plexsphere::plexctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "plexsphere-audit-export/1";
constexpr std::size_t kPage = 200;
constexpr std::uint64_t kTellEvery = 10'000;  // entries

// One file of an export while it is written.
class LineFile {
 public:
  explicit LineFile(fs::path path) : path_(std::move(path)), out_(path_) {}
  void write(const Json& line) {
    out_ << line.dump() << '\n';
    check();
  }
  void close() {
    out_.close();
    check();
  }

 private:
  void check() const {
    if (!out_) {
      throw Failure(ExitCode::failed, "'" + path_.string() + "' could not be written");
    }
  }
  fs::path path_;
  std::ofstream out_;
};

// Where an export goes. What one that fails has left there goes again, so that the same command can
// be given once more.
class Destination {
 public:
  explicit Destination(const fs::path& directory) : directory_(directory) {
    std::error_code error;
    made_ = fs::create_directory(directory, error);
    if (error || !fs::is_empty(directory, error) || error) {
      throw Failure(ExitCode::invalid, "'" + directory.string() +
                                           "' must be a new directory, or an empty one that can "
                                           "be written");
    }
  }
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  ~Destination() {
    if (complete_) {
      return;
    }
    std::error_code ignored;
    for (const char* name : kFiles) {
      fs::remove(directory_ / name, ignored);
    }
    if (made_) {
      fs::remove(directory_, ignored);
    }
  }
  void complete() { complete_ = true; }

 private:
  static constexpr const char* kFiles[] = {"begins.json", "chain.json", "checkpoints.jsonl",
                                           "entries.jsonl", "restores.jsonl"};

  const fs::path& directory_;
  bool made_ = false;
  bool complete_ = false;
};

struct Exported {
  std::string origin;
  std::size_t checkpoints = 0;
  std::uint64_t covered = 0;  // entries, by the newest of them
  std::uint64_t left = 0;     // of these, that have left the server
};

// Where the chain begins, if not with its first entry.
std::uint64_t export_beginning(const Json& page, const fs::path& directory) {
  const auto at = page.find("begins");
  if (at == page.end()) {
    return 0;
  }
  LineFile file(directory / "begins.json");
  file.write(*at);
  file.close();
  return number_at(*at, "seq");
}

void export_restores(const Json& page, const fs::path& directory) {
  const auto at = page.find("restores");
  if (at == page.end() || !at->is_array() || at->empty()) {
    return;
  }
  LineFile file(directory / "restores.jsonl");
  for (const Json& item : *at) {
    file.write(item);
  }
  file.close();
}

// Every checkpoint, and every declared restore, into files.
Exported export_checkpoints(const Client& client, const std::string& chain,
                            const fs::path& directory) {
  LineFile file(directory / "checkpoints.jsonl");
  Exported out;
  std::string cursor;
  do {
    std::string path = chain + "/checkpoints?limit=" + std::to_string(kPage);
    if (!cursor.empty()) {
      Poco::URI::encode(cursor, "&+#=", path += "&cursor=");
    }
    const Json page = client.get(path);
    for (const Json& item : items_of(page)) {
      if (number_at(item, "size") <= out.covered) {
        throw Failure(ExitCode::failed, "the server's list of checkpoints does not ascend");
      }
      out.covered = number_at(item, "size");
      Json kept = item;
      kept.erase("signed_at");  // nothing vouches for these two
      kept.erase("key_id");
      file.write(kept);
      ++out.checkpoints;
    }
    if (cursor.empty()) {
      export_restores(page, directory);
      out.left = export_beginning(page, directory);
    }
    out.origin = text_at(page, "origin");
    cursor = text_at(page, "next_cursor");
  } while (!cursor.empty());
  file.close();
  return out;
}

void export_entries(const Client& client, const std::string& chain, LineFile file,
                    std::uint64_t after, std::uint64_t until, std::ostream& err) {
  std::uint64_t told = after;
  for (std::uint64_t seq = after; seq < until;) {
    const Json page = client.get(chain + "/records?from=" + std::to_string(seq + 1) +
                                 "&limit=" + std::to_string(kPage));
    const std::uint64_t before = seq;
    for (const Json& item : items_of(page)) {
      if (number_at(item, "seq") <= seq) {
        throw Failure(ExitCode::failed, "the server's list of entries does not ascend");
      }
      seq = number_at(item, "seq");
      if (seq <= until) {
        file.write(item);
      }
    }
    if (seq == before) {
      break;  // verification tells what is missing
    }
    if (seq - told >= kTellEvery) {
      told = seq;
      err << "plexctl: " << seq << " of " << until << " entries\n";
    }
  }
  file.close();
}

// Calls `each` for the lines of one file of the export.
void read_lines(const fs::path& path, const std::function<void(const Json&)>& each) {
  std::ifstream in(path);
  if (!in) {
    throw Failure(ExitCode::incomplete, "incomplete: '" + path.string() + "' cannot be read");
  }
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const Json json = line.size() > kMostLine ? Json(Json::value_t::discarded)
                                              : Json::parse(line, nullptr, false);
    if (!json.is_object()) {
      throw not_of_an_export(number, path);
    }
    each(json);
  }
}

}  // namespace

std::string export_audit(const Client& client, const fs::path& directory, const std::string& domain,
                         Format format, std::ostream& err) {
  const std::string chain = chain_path(domain);
  Destination destination(directory);
  const Exported taken = export_checkpoints(client, chain, directory);
  const std::uint64_t entries = taken.covered;
  if (taken.checkpoints == 0) {
    throw Failure(ExitCode::not_found,
                  "the chain has no checkpoint yet, so nothing of it could be "
                  "verified; is the signer there?");
  }
  export_entries(client, chain, LineFile(directory / "entries.jsonl"), taken.left, entries, err);
  const Json about{{"format", kFormat}, {"origin", taken.origin}, {"entries", entries}};
  LineFile file(directory / "chain.json");
  file.write(about);
  file.close();
  destination.complete();
  if (format == Format::json) {
    return pretty(about);
  }
  return "exported " + std::to_string(entries - taken.left) + " entries and " +
         std::to_string(taken.checkpoints) + " checkpoints\n";
}

std::string verify_audit(const fs::path& directory, const std::vector<std::string>& keys,
                         const std::vector<std::string>& earlier, Format format) {
  if (fs::is_regular_file(directory)) {
    if (!earlier.empty()) {
      throw Failure(ExitCode::invalid, "--earlier is for an export; a proof has its notes with it");
    }
    return verify_proof(directory, keys, format);
  }
  auto trusted = trusted_keys(keys);
  std::string origin;
  std::uint64_t count = 0;
  read_lines(directory / "chain.json", [&](const Json& about) {
    origin = text_at(about, "format") == kFormat ? text_at(about, "origin") : std::string();
    count = number_at(about, "entries");
  });
  ChainCheck check(origin, std::move(trusted));
  ExportAgreement files(count);
  if (fs::exists(directory / "begins.json")) {
    read_lines(directory / "begins.json", [&](const Json& item) {
      check.begin({number_at(item, "seq"), decoded(sdk::hex_decode(text_at(item, "entry_hash")))},
                  hashes_at(item, "peaks"));
    });
  }
  if (fs::exists(directory / "restores.jsonl")) {
    read_lines(directory / "restores.jsonl",
               [&](const Json& item) { check.restore(text_at(item, "note")); });
  }
  for (const std::string& note : earlier) {
    check.earlier(read_note(note, ExitCode::invalid));
  }
  read_lines(directory / "checkpoints.jsonl", [&](const Json& item) {
    check.checkpoint(text_at(item, "note"));
    files.checkpoint(item);
  });
  EntryReader entries(directory / "entries.jsonl");
  for (auto batch = entries.next(); !batch.empty(); batch = entries.next()) {
    for (const ExportedEntry& entry : batch) {
      check.entry(entry);
      files.entry(entry);
    }
  }
  const Verified all = check.finish();
  files.finish(all.left + all.entries);
  if (format == Format::json) {
    return pretty({{"origin", origin},
                   {"entries", all.entries},
                   {"checkpoints", all.checkpoints},
                   {"covered", all.covered},
                   {"left", all.left}});
  }
  return "intact: " + std::to_string(all.entries) + " entries, " +
         std::to_string(all.covered - all.left) + " of them under " +
         std::to_string(all.checkpoints) + " checkpoints" +
         (all.left == 0 ? ""
                        : "; entries 1 to " + std::to_string(all.left) +
                              " had left, as the newest checkpoint says") +
         "\n";
}

}  // namespace plexsphere::plexctl
