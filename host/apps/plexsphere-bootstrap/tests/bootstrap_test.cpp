// The verbs as an administrator runs them, against a real server and the real migrations.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "host/apps/plexsphere-bootstrap/app.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/pg_cluster.hpp"

namespace plexsphere::host::apps {
namespace {

namespace fs = std::filesystem;

struct Run {
  int code = 0;
  std::string out;
  std::string err;
};

Run bootstrap(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Run run;
  run.code = run_bootstrap(arguments, out, err);
  run.out = out.str();
  run.err = err.str();
  return run;
}

// An installation of identity and authz with the repository's own manifests and migrations.
struct Installation {
  Installation() {
    std::string text = "[plugins]\ndirectory = \"" + files.path().string() +
                       "\"\n[database]\ndsn = \"" + cluster.dsn("postgres", "plexsphere_core") +
                       "\"\nadmin_dsn = \"" + cluster.dsn() + "\"\n";
    for (const std::string context : {"authz", "identity"}) {
      const fs::path source = PLEXSPHERE_SOURCE_DIR;
      const fs::path target = files.path() / context;
      fs::create_directory(target);
      fs::copy(source / "plugins" / context / "plugin.toml", target / "plugin.toml");
      fs::copy(source / "migrations" / context, target / "migrations");
      text += "[context." + context + "]\nenabled = true\n";
    }
    config = files.write("core.toml", text).string();
  }
  test_support::PgCluster cluster;
  test_support::TempDir files;
  std::string config;
};

TEST_CASE("the first operator's token is shown once and only its digest is stored", "[bootstrap]") {
  Installation installation;
  const Run early =
      bootstrap({"operator", "create", "--name", "first", "--config", installation.config});
  CHECK(early.code == 1);
  const Run restore =
      bootstrap({"audit", "restore", "--domain", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "--from",
                 "1", "--to", "1", "--config", installation.config});
  CHECK(restore.code == 1);
  CHECK(restore.err.find("knows no restore yet") != std::string::npos);
  CHECK(early.err.find("plexsphere-bootstrap migrate") != std::string::npos);

  const Run migrated = bootstrap({"migrate", "--config", installation.config});
  CHECK(migrated.err.empty());
  REQUIRE(migrated.code == 0);
  CHECK(migrated.out.find("applied identity/0001_identity.sql") != std::string::npos);
  CHECK(bootstrap({"migrate", "--config", installation.config}).out.find("applied identity") ==
        std::string::npos);

  const Run made = bootstrap({"operator", "create", "--name", "Ada", "--environment", "lab",
                              "--days", "7", "--config", installation.config});
  REQUIRE(made.code == 0);
  CHECK(made.out.starts_with(
      "# WARNING: this is the only time this plaintext will be displayed\npsk_lab_"));
  std::smatch parts;
  REQUIRE(
      std::regex_search(made.out, parts, std::regex("psk_lab_([a-z2-7]{26})_([a-z2-7]{52})\n")));
  CHECK(made.err.find(parts[2].str()) == std::string::npos);
  const auto id = sdk::base32_decode(parts[1].str());
  const auto secret = sdk::base32_decode(parts[2].str());
  REQUIRE(id);
  REQUIRE(secret);
  CHECK(id->size() == 16);
  CHECK(installation.cluster.query(
            "SELECT secret_sha256 = sha256('\\x" + sdk::hex_encode(*secret) +
            "') AND env_prefix = 'lab' AND expires_at < now() + interval '8 days' "
            "FROM identity.api_token WHERE id = '" +
            sdk::hex_encode(*id) + "'") == "t");
  CHECK(installation.cluster.query(
            "SELECT string_agg(t.relation, ',' ORDER BY t.relation) FROM authz.relation_tuples t "
            "JOIN identity.user_account u ON t.subject_id = u.id::text "
            "WHERE u.display_name = 'Ada'") == "admin,auditor");
  // What the audit log will have to tell was noted in the same transaction.
  CHECK(made.err.starts_with("WARNING: break-glass operator"));
  CHECK(installation.cluster.query(
            "SELECT g.audited_at IS NULL AND g.user_id = u.id FROM identity.break_glass g, "
            "identity.user_account u WHERE u.display_name = 'Ada' AND g.token_id = '" +
            sdk::hex_encode(*id) + "'") == "t");
}

TEST_CASE("nobody but an administrator makes operators", "[bootstrap]") {
  Installation installation;
  REQUIRE(bootstrap({"migrate", "--config", installation.config}).code == 0);
  for (const char* role : {"plexsphere_identity", "plexsphere_authz", "plexsphere_platform"}) {
    CHECK_THROWS(installation.cluster.query(
        std::string{"SET ROLE "} + role +
            "; SELECT authz.port_bootstrap_platform_admin(gen_random_uuid())",
        "postgres", "plexsphere_core"));
  }
}

TEST_CASE("wrong usage and wrong files are told apart by exit code and named", "[bootstrap]") {
  const test_support::TempDir files;
  CHECK(bootstrap({}).code == 2);
  CHECK(bootstrap({"dance"}).code == 2);
  CHECK(bootstrap({"operator", "create"}).code == 2);
  CHECK(bootstrap({"operator", "create", "--name", "x", "--days", "0"}).code == 2);
  const Run version = bootstrap({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("version="));
  CHECK(std::count(version.out.begin(), version.out.end(), '\n') == 1);

  const Run missing = bootstrap({"migrate", "--config", (files.path() / "none.toml").string()});
  CHECK(missing.code == 1);
  CHECK(missing.err.find("none.toml") != std::string::npos);
  const auto unknown = files.write("unknown.toml", "[database]\ndns = \"x\"\n").string();
  CHECK(bootstrap({"migrate", "--config", unknown}).err.find("unknown.toml:2") !=
        std::string::npos);
  const auto no_admin = files.write("no_admin.toml", "[database]\ndsn = \"x\"\n").string();
  CHECK(bootstrap({"migrate", "--config", no_admin}).err.find("admin_dsn") != std::string::npos);
  const auto gone = files
                        .write("gone.toml", "[plugins]\ndirectory = \"" + files.path().string() +
                                                "\"\n[database]\nadmin_dsn = \"host=/nowhere\"\n"
                                                "[context.ghost]\nenabled = true\n")
                        .string();
  CHECK(bootstrap({"migrate", "--config", gone}).err.find("ghost") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::host::apps
