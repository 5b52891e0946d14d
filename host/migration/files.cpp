#include "host/migration/files.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <regex>
#include <utility>

#include "host/migration/platform_sql.hpp"
#include "host/persistence/statement_text.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::migration {
namespace {

using persistence::StoreError;

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string out;
  for (const unsigned char byte : digest) {
    out.push_back("0123456789abcdef"[byte >> 4]);
    out.push_back("0123456789abcdef"[byte & 15]);
  }
  return out;
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw StoreError(PX_INVALID_ARGUMENT, "migration_refused", "migration '" + name + "': " + why);
}

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    refuse(path.string(), "the file cannot be read");
  }
  return text;
}

void order(std::vector<MigrationFile>& files) {
  std::ranges::sort(files, {}, &MigrationFile::version);
  const auto twice = std::ranges::adjacent_find(files, {}, &MigrationFile::version);
  if (twice != files.end()) {
    refuse(twice->name, "it has the same number as '" + std::next(twice)->name + "'");
  }
}

}  // namespace

MigrationFile make_migration(const std::string& name, std::string sql) {
  static const std::regex form("[0-9]{4}_[a-z0-9_]{1,80}\\.sql");
  if (!std::regex_match(name, form)) {
    refuse(name, "the name must look like 0001_what_it_does.sql");
  }
  if (sql.size() > kMaxMigrationBytes) {
    refuse(name, "it has " + std::to_string(sql.size()) + " bytes; the limit is " +
                     std::to_string(kMaxMigrationBytes));
  }
  try {
    persistence::judge_migration(sql);
  } catch (const StoreError& error) {
    refuse(name, error.what());
  }
  MigrationFile file;
  std::from_chars(name.data(), name.data() + 4, file.version);
  file.name = name;
  file.checksum = sha256_hex(sql);
  file.sql = std::move(sql);
  return file;
}

std::vector<MigrationFile> read_migrations(const std::filesystem::path& directory) {
  std::vector<MigrationFile> files;
  if (!std::filesystem::is_directory(directory)) {
    return files;
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".sql") {
      files.push_back(make_migration(entry.path().filename().string(), read_whole(entry.path())));
    }
  }
  order(files);
  return files;
}

std::vector<MigrationFile> platform_migrations() {
  std::vector<MigrationFile> files;
  for (const auto& [name, sql] : kPlatformSql) {
    files.push_back(make_migration(std::string{name}, std::string{sql}));
  }
  order(files);
  return files;
}

}  // namespace plexsphere::host::migration
