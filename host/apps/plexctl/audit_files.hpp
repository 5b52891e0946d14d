// What the commands about audit chains read: keys and notes that are trusted or held, and members
// of the server's lists. All throw Failure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/apps/plexctl/audit_notes.hpp"
#include "host/apps/plexctl/json_text.hpp"

namespace plexsphere::plexctl {

// "/v1/…/audit"; of the platform's chain where `domain` is empty.
[[nodiscard]] std::string chain_path(const std::string& domain);

// `invalid` for a key that is none.
[[nodiscard]] std::vector<sdk::NoteKey> trusted_keys(const std::vector<std::string>& texts);

// A file's note; `code` where it cannot be read.
[[nodiscard]] std::string read_note(const std::filesystem::path& path, ExitCode code);

// Of the server's list.
[[nodiscard]] const Json& items_of(const Json& page);
// What nothing fits, for bytes that could not be decoded.
[[nodiscard]] std::string decoded(std::optional<std::string> bytes);
// A list of hex digits, raw.
[[nodiscard]] std::vector<std::string> hashes_at(const Json& object, const char* name);
[[nodiscard]] ExportedEntry entry_of(const Json& item);

}  // namespace plexsphere::plexctl
