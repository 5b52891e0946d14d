// Migration files: NNNN_name.sql, in order, each with the checksum of its bytes.
//
// Thread safety: values and pure functions. Ownership: values own their text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::host::migration {

struct MigrationFile {
  std::uint32_t version = 0;  // NNNN
  std::string name;           // "0001_nodes.sql"
  std::string sql;
  std::string checksum;  // SHA-256 of sql, 64 lower-case hexadecimal digits
};

inline constexpr std::size_t kMaxMigrationBytes = 1024 * 1024;

// Checks name and text (see judge_migration) and computes the checksum.
// Throws StoreError(PX_INVALID_ARGUMENT) naming the file.
[[nodiscard]] MigrationFile make_migration(const std::string& name, std::string sql);

// All files of a directory by version. A directory that does not exist has none.
// Throws StoreError(PX_INVALID_ARGUMENT) for a .sql file whose name has another form, for two files
// of one version, and for what make_migration refuses.
[[nodiscard]] std::vector<MigrationFile> read_migrations(const std::filesystem::path& directory);

// The host's own, compiled in, so that a binary and its schema cannot be parted.
[[nodiscard]] std::vector<MigrationFile> platform_migrations();

}  // namespace plexsphere::host::migration
