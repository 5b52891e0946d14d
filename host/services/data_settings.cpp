#include "host/services/data_settings.hpp"

#include "host/config/secret_file.hpp"
#include "host/persistence/session.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host {
namespace {

using namespace std::chrono_literals;
using config::KeyType;

std::string string_or_empty(const config::Settings& settings, const char* key) {
  return settings.has(key) ? settings.string(key) : std::string{};
}

Result<std::string> dsn_from(const config::Settings& settings, const char* key,
                             const char* file_key) {
  const std::string text = string_or_empty(settings, key);
  const std::string file = string_or_empty(settings, file_key);
  if (text.empty() == file.empty()) {
    return {Code::kInvalidArgument,
            std::string{"set exactly one of database."} + key + " and database." + file_key};
  }
  if (!text.empty()) {
    return text;
  }
  auto secret = config::read_secret_file(file);
  if (!secret) {
    return secret.status();
  }
  return std::string{secret->view()};
}

Status check_dsn(const std::string& dsn) {
  try {
    persistence::SessionOptions options;
    options.dsn = dsn;
    (void)persistence::complete_dsn(options);
    return {};
  } catch (const persistence::StoreError& error) {
    return {Code::kInvalidArgument, error.what()};
  }
}

}  // namespace

config::SectionSpec database_section() {
  return {"database",
          {{.name = "dsn", .doc = "libpq connection string or URI of the login role"},
           {.name = "dsn_file", .type = KeyType::kSecretFile, .doc = "file that holds the dsn"},
           {.name = "admin_dsn", .doc = "superuser's, for plexsphere-bootstrap only"},
           {.name = "admin_dsn_file", .type = KeyType::kPath, .doc = "file that holds admin_dsn"},
           {.name = "pool_size",
            .type = KeyType::kInteger,
            .default_value = std::int64_t{16},
            .minimum = 1,
            .maximum = 1000,
            .doc = "connections for requests"},
           {.name = "checkout_timeout",
            .type = KeyType::kDuration,
            .default_value = 5000ms,
            .minimum = 10,
            .maximum = 60'000,
            .doc = "longest wait for a free connection"},
           {.name = "statement_timeout",
            .type = KeyType::kDuration,
            .default_value = 10'000ms,
            .minimum = 100,
            .maximum = 600'000,
            .doc = "longest run of one statement"},
           {.name = "lock_timeout",
            .type = KeyType::kDuration,
            .default_value = 2000ms,
            .minimum = 10,
            .maximum = 60'000,
            .doc = "longest wait for a lock"}}};
}

config::SectionSpec egress_section() {
  return {"egress",
          {{.name = "max_in_flight",
            .type = KeyType::kInteger,
            .default_value = std::int64_t{64},
            .minimum = 1,
            .maximum = 1024,
            .doc = "requests to other hosts that are under way at the same time"},
           {.name = "max_per_origin",
            .type = KeyType::kInteger,
            .default_value = std::int64_t{8},
            .minimum = 1,
            .maximum = 256,
            .doc = "of those, to one origin"},
           {.name = "max_waiting",
            .type = KeyType::kInteger,
            .default_value = std::int64_t{1024},
            .minimum = 1,
            .maximum = 65'536,
            .doc = "requests that wait for their turn"},
           {.name = "max_held_bytes",
            .type = KeyType::kInteger,
            .default_value = std::int64_t{268'435'456},
            .minimum = 1'048'576,
            .maximum = 17'179'869'184,
            .doc = "bodies and announced answers of all requests together"}}};
}

config::SectionSpec seal_section() {
  return {"seal",
          {{.name = "root_key_file",
            .type = KeyType::kPath,
            .doc = "32 random bytes, mode 0400, owned by the service's user"},
           {.name = "root_key_credential", .doc = "name of a systemd credential that holds them"}}};
}

config::Issues check_data_settings(const config::Configuration& configuration) {
  config::Issues issues;
  const auto where = [&](const config::Settings& settings, const char* key) {
    if (const auto location = settings.where(key)) {
      return *location;
    }
    return config::Location{
        configuration.files().empty() ? "configuration" : configuration.files().front(), 0};
  };
  const config::Settings& database = configuration.section("database");
  const Result<std::string> dsn = core_dsn(database);
  const Status dsn_status = dsn ? check_dsn(*dsn) : dsn.status();
  if (!dsn_status) {
    issues.push_back({where(database, "dsn"),
                      dsn_status.message(),
                      {},
                      "set [database] dsn to the connection string of plexsphere_core"});
  }
  const config::Settings& seal = configuration.section("seal");
  if (const Status status = seal::RootKey::check(root_key_source(seal)); !status) {
    issues.push_back({where(seal, "root_key_file"),
                      status.message(),
                      {},
                      "name a file with 32 random bytes in [seal] root_key_file"});
  }
  return issues;
}

Result<std::string> core_dsn(const config::Settings& database) {
  return dsn_from(database, "dsn", "dsn_file");
}

Result<std::string> admin_dsn(const config::Settings& database) {
  return dsn_from(database, "admin_dsn", "admin_dsn_file");
}

Result<persistence::StoreOptions> store_options(const config::Settings& database) {
  Result<std::string> dsn = core_dsn(database);
  if (!dsn) {
    return dsn.status();
  }
  persistence::StoreOptions options;
  options.pool.session.dsn = std::move(*dsn);
  options.pool.session.statement_timeout = database.duration("statement_timeout");
  options.pool.session.lock_timeout = database.duration("lock_timeout");
  options.pool.capacity = static_cast<std::size_t>(database.integer("pool_size"));
  options.checkout_timeout = database.duration("checkout_timeout");
  return options;
}

egress::EngineOptions egress_options(const config::Settings& egress) {
  const auto number = [&egress](const char* key) {
    return static_cast<std::size_t>(egress.integer(key));
  };
  return {number("max_in_flight"), number("max_per_origin"), number("max_waiting"),
          number("max_held_bytes")};
}

seal::RootKeySource root_key_source(const config::Settings& seal) {
  return {string_or_empty(seal, "root_key_file"), string_or_empty(seal, "root_key_credential")};
}

}  // namespace plexsphere::host
