#include "host/apps/plexctl/audit_files.hpp"

#include <fstream>

#include "host/apps/plexctl/digest.hpp"

namespace plexsphere::plexctl {

std::string chain_path(const std::string& domain) {
  return domain.empty() ? "/v1/platform/audit" : "/v1/domains/" + domain + "/audit";
}

const Json& items_of(const Json& page) {
  if (!page.is_object() || !page.contains("items") || !page["items"].is_array()) {
    throw Failure(ExitCode::failed, "the server's list has no items");
  }
  return page["items"];
}

std::string read_note(const std::filesystem::path& path, ExitCode code) {
  std::ifstream in(path, std::ios::binary);
  std::string text(sdk::checkpoint::kMostNote + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.gcount() == 0) {
    throw Failure(code, "'" + path.string() + "' cannot be read");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string decoded(std::optional<std::string> bytes) {
  return bytes.value_or(std::string());  // which fits no hash
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

std::vector<std::string> hashes_at(const Json& object, const char* name) {
  std::vector<std::string> out;
  if (const auto at = object.find(name); at != object.end() && at->is_array()) {
    for (const Json& hash : *at) {
      out.push_back(decoded(sdk::hex_decode(hash.is_string() ? hash.get<std::string>() : "x")));
    }
  }
  return out;
}

ExportedEntry entry_of(const Json& item) {
  ExportedEntry entry{number_at(item, "seq"),
                      decoded(sdk::hex_decode(text_at(item, "prev_hash"))),
                      decoded(sdk::hex_decode(text_at(item, "entry_hash"))),
                      decoded(sdk::base64_decode(text_at(item, "canonical_bytes"))),
                      {}};
  entry.content_hash = sha256(entry.canonical_bytes);
  return entry;
}

}  // namespace plexsphere::plexctl
