// The initialised, never started data directory that every PgCluster begins as a copy of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "spawn.hpp"

namespace plexsphere::test_support::detail {

// The directory with the newest installed server's programs (/usr/lib/postgresql/<major>/bin).
// Throws std::runtime_error naming the package when there is none.
[[nodiscard]] std::filesystem::path postgres_programs();

// Whom the server runs as: nobody else when we are a plain user (nullopt), otherwise
// plexsphere-dev or postgres. Throws std::runtime_error when root finds neither.
[[nodiscard]] std::optional<UserIds> server_user();

// Copies the template to `target`, which must not exist; makes the template first if it is not
// there. Safe against other processes doing the same: a file lock orders them.
void copy_template(const std::filesystem::path& target);

}  // namespace plexsphere::test_support::detail
