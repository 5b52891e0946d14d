#include "host/apps/plexctl/audit_commands.hpp"

#include <Poco/URI.h>

#include <fstream>
#include <functional>
#include <optional>
#include <ostream>
#include <system_error>

#include "host/apps/plexctl/audit_check.hpp"
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

void make_empty(const fs::path& directory) {
  std::error_code error;
  fs::create_directory(directory, error);
  if (error || !fs::is_empty(directory, error) || error) {
    throw Failure(ExitCode::invalid, "'" + directory.string() +
                                         "' must be a new directory, or an empty one that can be "
                                         "written");
  }
}

const Json& items_of(const Json& page) {
  if (!page.is_object() || !page.contains("items") || !page["items"].is_array()) {
    throw Failure(ExitCode::failed, "the server's list has no items");
  }
  return page["items"];
}

// Every checkpoint into the file; how many entries the newest covers.
std::uint64_t export_checkpoints(const Client& client, const std::string& chain, LineFile file,
                                 std::string& origin, std::size_t& count) {
  std::uint64_t covered = 0;
  std::string cursor;
  do {
    std::string path = chain + "/checkpoints?limit=" + std::to_string(kPage);
    if (!cursor.empty()) {
      Poco::URI::encode(cursor, "&+#=", path += "&cursor=");
    }
    const Json page = client.get(path);
    for (const Json& item : items_of(page)) {
      if (number_at(item, "size") <= covered) {
        throw Failure(ExitCode::failed, "the server's list of checkpoints does not ascend");
      }
      covered = number_at(item, "size");
      file.write(item);
      ++count;
    }
    origin = text_at(page, "origin");
    cursor = text_at(page, "next_cursor");
  } while (!cursor.empty());
  file.close();
  return covered;
}

void export_entries(const Client& client, const std::string& chain, LineFile file,
                    std::uint64_t until, std::ostream& err) {
  std::uint64_t told = 0;
  for (std::uint64_t seq = 0; seq < until;) {
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

std::string read_file(const fs::path& path, ExitCode code) {
  std::ifstream in(path, std::ios::binary);
  std::string text(sdk::checkpoint::kMostNote + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.gcount() == 0) {
    throw Failure(code, "'" + path.string() + "' cannot be read");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::vector<sdk::NoteKey> trusted_keys(const std::vector<std::string>& texts) {
  std::vector<sdk::NoteKey> keys;
  for (const std::string& text : texts) {
    auto key = sdk::parse_verifier_key(&sha256, text);
    if (!key) {
      throw Failure(ExitCode::invalid,
                    "--key takes a verifier key, <name>+<8 hex digits>+<base64>, "
                    "not '" +
                        text + "'");
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace

std::string export_audit(const Client& client, const fs::path& directory, const std::string& domain,
                         Format format, std::ostream& err) {
  const std::string chain =
      domain.empty() ? "/v1/platform/audit" : "/v1/domains/" + domain + "/audit";
  make_empty(directory);
  std::string origin;
  std::size_t checkpoints = 0;
  const std::uint64_t entries = export_checkpoints(
      client, chain, LineFile(directory / "checkpoints.jsonl"), origin, checkpoints);
  if (checkpoints == 0) {
    throw Failure(ExitCode::not_found,
                  "the chain has no checkpoint yet, so nothing of it could be "
                  "verified; is the signer there?");
  }
  export_entries(client, chain, LineFile(directory / "entries.jsonl"), entries, err);
  const Json about{{"format", kFormat}, {"origin", origin}, {"entries", entries}};
  LineFile file(directory / "chain.json");
  file.write(about);
  file.close();
  if (format == Format::json) {
    return pretty(about);
  }
  return "exported " + std::to_string(entries) + " entries and " + std::to_string(checkpoints) +
         " checkpoints\n";
}

std::string verify_audit(const fs::path& directory, const std::vector<std::string>& keys,
                         const std::vector<std::string>& earlier, Format format) {
  auto trusted = trusted_keys(keys);
  std::string origin;
  read_lines(directory / "chain.json", [&](const Json& about) {
    origin = text_at(about, "format") == kFormat ? text_at(about, "origin") : std::string();
  });
  ChainCheck check(origin, std::move(trusted));
  for (const std::string& note : earlier) {
    check.earlier(read_file(note, ExitCode::invalid));
  }
  read_lines(directory / "checkpoints.jsonl",
             [&](const Json& item) { check.checkpoint(text_at(item, "note")); });
  EntryReader entries(directory / "entries.jsonl");
  for (auto batch = entries.next(); !batch.empty(); batch = entries.next()) {
    for (const ExportedEntry& entry : batch) {
      check.entry(entry);
    }
  }
  const Verified all = check.finish();
  if (format == Format::json) {
    return pretty({{"origin", origin},
                   {"entries", all.entries},
                   {"checkpoints", all.checkpoints},
                   {"covered", all.covered}});
  }
  return "intact: " + std::to_string(all.entries) + " entries, " + std::to_string(all.covered) +
         " of them under " + std::to_string(all.checkpoints) + " checkpoints\n";
}

}  // namespace plexsphere::plexctl
