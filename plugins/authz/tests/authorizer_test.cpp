// Tuples and checks through the real px.store, migrated and with the roles of production; "guest"
// is another context that requires px.authz/1.
#include "app/authorizer.hpp"

#include <catch2/catch.hpp>

#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "support/pg_cluster.hpp"

using namespace plexsphere;
using namespace plexsphere::authz;

namespace {

test_support::PgCluster& cluster() {
  static test_support::PgCluster instance;
  static const bool migrated = [] {
    host::migration::ContextPlan authz;
    authz.context = "authz";
    authz.provides = {"port_authz"};
    authz.files = host::migration::read_migrations(AUTHZ_MIGRATIONS);
    host::migration::ContextPlan guest;
    guest.context = "guest";
    guest.uses = {"port_authz"};
    host::migration::ContextPlan stranger;
    stranger.context = "stranger";
    host::migration::MigrateOptions options;
    options.admin_dsn = instance.dsn();
    migrate(options, {host::migration::platform_plan(), authz, guest, stranger});
    return true;
  }();
  REQUIRE(migrated);
  return instance;
}

host::config::Manifest manifest_of(const std::string& id) {
  host::config::Manifest manifest;
  manifest.id = id;
  manifest.capabilities.schema = true;
  return manifest;
}

// One process: the host's store, this context, and two others.
class Process {
 public:
  Process() {
    REQUIRE(tuples_.declare(store_of(authz_)).ok());
    wire_ = sdk::Authz(reinterpret_cast<const px_authz*>(authorizer_.table()));
  }

  sdk::Transaction guest_transaction() { return begin(guest_); }
  sdk::Transaction stranger_transaction() { return begin(stranger_); }
  const sdk::Authz& port() const { return wire_; }

  // Writes and commits as the guest.
  sdk::Status write(const std::vector<sdk::Tuple>& tuples) {
    auto tx = guest_transaction();
    if (auto written = wire_.write(tx, tuples); !written.ok()) {
      return written;
    }
    return tx.commit();
  }

  sdk::Result<sdk::Decision> check(const sdk::Reference& subject, std::string_view permission,
                                   const sdk::Reference& object) const {
    std::optional<sdk::Result<sdk::Decision>> answer;
    wire_.check(subject, permission, object, "192.0.2.1",
                [&](const sdk::Result<sdk::Decision>& decision) { answer = decision; });
    REQUIRE(answer);
    return *answer;
  }
  px_reason reason(const sdk::Reference& subject, std::string_view permission,
                   const sdk::Reference& object) const {
    const auto decision = check(subject, permission, object);
    REQUIRE(decision.ok());
    CHECK(decision->allowed() != decision->relation_path.empty());
    return decision->reason;
  }

  std::vector<std::string> wrong_statements() {
    const auto all = store_.catalog().statements_of("authz");
    CHECK(all.size() == 4);
    return host::persistence::check_statements(options().pool.session, "plexsphere_authz", all);
  }

 private:
  static host::persistence::StoreOptions options() {
    host::persistence::StoreOptions options;
    options.pool.session.dsn = cluster().dsn("postgres", "plexsphere_core");
    return options;
  }
  sdk::Store store_of(const host::PluginContext& plugin) {
    return sdk::Store(reinterpret_cast<const px_store*>(stores_.table_for(plugin)));
  }
  sdk::Transaction begin(const host::PluginContext& plugin) {
    auto tx = store_of(plugin).begin();
    REQUIRE(tx.ok());
    return std::move(*tx);
  }

  host::telemetry::Logger host_log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{host_log_, metrics_, health_, "plexsphere"};
  host::persistence::Store store_{options(), host::log_sink(host_log_)};
  host::StoreProvider stores_{store_, host_};
  const host::config::Manifest authz_manifest_ = manifest_of("authz");
  const host::config::Manifest guest_manifest_ = manifest_of("guest");
  const host::config::Manifest stranger_manifest_ = manifest_of("stranger");
  const host::config::Settings settings_;
  const host::PluginContext authz_{authz_manifest_, settings_};
  const host::PluginContext guest_{guest_manifest_, settings_};
  const host::PluginContext stranger_{stranger_manifest_, settings_};
  TupleStore tuples_;
  sdk::Log log_;
  Authorizer authorizer_{tuples_, log_};
  sdk::Authz wire_;
};

std::string fresh() {
  return sdk::Uuid::v7(1'800'000'000'000).text();
}
sdk::Reference user(const std::string& id) {
  return {"user", id, {}};
}
sdk::Reference ref(const std::string& type, const std::string& id) {
  return {type, id, {}};
}
sdk::Tuple tuple(sdk::Reference object, std::string relation, sdk::Reference subject) {
  return {std::move(object), std::move(relation), std::move(subject)};
}
const sdk::Reference kPlatform{"platform", "plexsphere", {}};

// A Domain with a Project in it, both with fresh ids.
struct Place {
  sdk::Reference domain = ref("domain", fresh());
  sdk::Reference project = ref("project", fresh());
  std::vector<sdk::Tuple> tuples() const {
    return {tuple(domain, "parent", kPlatform), tuple(project, "parent", domain)};
  }
};

}  // namespace

TEST_CASE("every statement of this context is right in the server's eyes", "[authz][store]") {
  Process process;
  CHECK(process.wrong_statements() == std::vector<std::string>{});
}

TEST_CASE("a tuple counts when its transaction commits, not before", "[authz][store]") {
  Process process;
  const Place place;
  const auto ada = user(fresh());
  REQUIRE(process.write(place.tuples()).ok());
  {
    auto tx = process.guest_transaction();
    const std::vector grant{tuple(place.domain, "owner", ada)};
    REQUIRE(process.port().write(tx, grant).ok());
    CHECK(process.reason(ada, "manage", place.project) == PX_REASON_OUT_OF_SCOPE);
  }  // rolled back
  CHECK(process.reason(ada, "manage", place.project) == PX_REASON_OUT_OF_SCOPE);
  REQUIRE(process.write({tuple(place.domain, "owner", ada)}).ok());
  REQUIRE(process.write({tuple(place.domain, "owner", ada)}).ok());  // there already: stays
  CHECK(process.reason(ada, "manage", place.project) == PX_REASON_GRANTED);
  CHECK(cluster().query("SELECT count(*) FROM authz.relation_tuples WHERE subject_id = '" + ada.id +
                        "'") == "1");
}

TEST_CASE("unknown callers are out of scope, bound ones lack the relation", "[authz][store]") {
  Process process;
  const Place mine;
  const Place theirs;
  const auto ada = user(fresh());
  REQUIRE(process.write(mine.tuples()).ok());
  REQUIRE(process.write(theirs.tuples()).ok());
  CHECK(process.reason(ada, "read", theirs.domain) == PX_REASON_OUT_OF_SCOPE);
  REQUIRE(process.write({tuple(mine.project, "member", ada)}).ok());
  CHECK(process.reason(ada, "read", mine.project) == PX_REASON_GRANTED);
  CHECK(process.reason(ada, "deploy", mine.project) == PX_REASON_INSUFFICIENT_RELATION);
  CHECK(process.reason(ada, "read", theirs.domain) == PX_REASON_INSUFFICIENT_RELATION);
}

TEST_CASE("groups of groups grant, and a loop of groups neither grants nor hangs",
          "[authz][store]") {
  Process process;
  const Place place;
  const auto ada = user(fresh());
  const auto inner = fresh();
  const auto outer = fresh();
  REQUIRE(process.write(place.tuples()).ok());
  REQUIRE(process
              .write({tuple(place.domain, "admin", {"group", outer, "member"}),
                      tuple(ref("group", outer), "member", {"group", inner, "member"}),
                      tuple(ref("group", inner), "member", {"group", outer, "member"})})
              .ok());
  CHECK(process.reason(ada, "manage", place.project) == PX_REASON_OUT_OF_SCOPE);
  REQUIRE(process.write({tuple(ref("group", inner), "member", ada)}).ok());
  const auto decision = process.check(ada, "manage", place.project);
  REQUIRE(decision.ok());
  CHECK(decision->relation_path ==
        std::vector<std::string>{"project:" + place.project.id + "#manage",
                                 "domain:" + place.domain.id + "#manage",
                                 "domain:" + place.domain.id + "#admin",
                                 "group:" + outer + "#member", "group:" + inner + "#member"});
}

TEST_CASE("the first operator manages, reads and audits what exists and what does not",
          "[authz][store]") {
  Process process;
  const auto root = user(fresh());
  (void)cluster().query("SELECT authz.port_bootstrap_platform_admin('" + root.id + "')");
  const Place place;
  REQUIRE(process.write(place.tuples()).ok());
  CHECK(process.reason(root, "manage", kPlatform) == PX_REASON_GRANTED);
  CHECK(process.reason(root, "auditor", place.domain) == PX_REASON_GRANTED);
  CHECK(process.reason(root, "deploy", place.project) == PX_REASON_GRANTED);
  CHECK(process.reason(root, "read", ref("domain", fresh())) == PX_REASON_GRANTED);
  (void)cluster().query("SELECT authz.port_bootstrap_platform_admin('" + root.id + "')");
}

TEST_CASE("a filtered list gets one answer for each id, in order", "[authz][store]") {
  Process process;
  const auto ada = user(fresh());
  std::vector<std::string> ids;
  std::vector<sdk::Tuple> tuples;
  for (int i = 0; i < 200; ++i) {
    ids.push_back(fresh());
    tuples.push_back(tuple(ref("domain", ids.back()), "parent", kPlatform));
    if (i % 3 == 0) {
      tuples.push_back(tuple(ref("domain", ids.back()), "member", ada));
    }
  }
  REQUIRE(process.write(tuples).ok());
  const auto allowed = process.port().filter(ada, "read", "domain", ids);
  REQUIRE(allowed.ok());
  REQUIRE(allowed->size() == 200);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    REQUIRE((*allowed)[i] == (i % 3 == 0));
  }
  CHECK(process.port().filter(ada, "read", "domain", {})->empty());
}

TEST_CASE("removing an object takes every tuple on it and of it", "[authz][store]") {
  Process process;
  const Place place;
  const auto ada = user(fresh());
  REQUIRE(process.write(place.tuples()).ok());
  REQUIRE(process.write({tuple(place.domain, "owner", ada)}).ok());
  auto tx = process.guest_transaction();
  REQUIRE(process.port().remove_object(tx, place.domain).ok());
  REQUIRE(tx.commit().ok());
  CHECK(process.reason(ada, "read", place.project) == PX_REASON_OUT_OF_SCOPE);
  CHECK(cluster().query("SELECT count(*) FROM authz.relation_tuples WHERE object_id = '" +
                        place.domain.id + "' OR subject_id = '" + place.domain.id + "'") == "0");
}

TEST_CASE("tuples the schema does not know, and the platform's own, are refused",
          "[authz][store]") {
  Process process;
  const Place place;
  const auto ada = user(fresh());
  const auto reason = [&](const sdk::Tuple& bad) {
    const auto written = process.write({tuple(place.domain, "parent", kPlatform), bad});
    return written.ok() ? std::string("written") : written.error().reason;
  };
  CHECK(reason(tuple(place.domain, "manage", ada)) == "invalid_tuple");
  CHECK(reason(tuple(place.domain, "owner", ref("node", fresh()))) == "invalid_tuple");
  CHECK(reason(tuple(ref("castle", "c"), "owner", ada)) == "invalid_tuple");
  CHECK(reason(tuple(kPlatform, "admin", ada)) == "platform_tuple_refused");
  auto tx = process.guest_transaction();
  CHECK(process.port().remove_object(tx, kPlatform).error().reason == "platform_tuple_refused");
  CHECK(cluster().query("SELECT count(*) FROM authz.relation_tuples WHERE object_id = '" +
                        place.domain.id + "'") == "0");
}

TEST_CASE("an unknown permission is no answer, so nothing is granted", "[authz][store]") {
  Process process;
  CHECK(process.check(user(fresh()), "wizardry", kPlatform).error().code ==
        sdk::Code::invalid_argument);
  const std::vector<std::string> ids{fresh()};
  CHECK_FALSE(process.port().filter(user(fresh()), "read", "castle", ids).ok());
}

TEST_CASE("a check that leads to more than ten thousand tuples gives up, denying nobody by mistake",
          "[authz][store]") {
  Process process;
  const auto domain = ref("domain", fresh());
  (void)cluster().query(
      "INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, "
      "subject_id, subject_relation) SELECT 'domain', '" +
      domain.id + "', 'admin', 'group', 'g' || i, 'member' FROM generate_series(1, 10001) i");
  CHECK(process.check(user(fresh()), "read", domain).error().code == sdk::Code::resource_exhausted);
}

TEST_CASE("only contexts with the port may write, and nobody may bootstrap or read the table",
          "[authz][store][isolation]") {
  Process process;
  const Place place;
  {
    auto tx = process.stranger_transaction();
    CHECK(process.port().write(tx, place.tuples()).error().code == sdk::Code::permission_denied);
  }
  const auto as = [&](const std::string& role, const std::string& sql) {
    try {
      (void)cluster().query("SET ROLE " + role + "; " + sql);
      return std::string("done");
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
  };
  const std::string bootstrap = "SELECT authz.port_bootstrap_platform_admin('" + fresh() + "')";
  const std::string grant =
      "INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, "
      "subject_id) VALUES ('platform', 'plexsphere', 'admin', 'user', 'mallory')";
  for (const char* role : {"plexsphere_authz", "plexsphere_guest", "plexsphere_stranger"}) {
    INFO(role);
    CHECK(as(role, bootstrap).find("permission denied") != std::string::npos);
    CHECK(as(role, grant).find("permission denied") != std::string::npos);
  }
  CHECK(as("plexsphere_guest", "SELECT * FROM authz.relation_tuples").find("permission denied") !=
        std::string::npos);
}

TEST_CASE("ids of tuples are UUIDv7 of now", "[authz][store]") {
  Process process;
  const Place place;
  REQUIRE(process.write(place.tuples()).ok());
  const auto id = cluster().query("SELECT id FROM authz.relation_tuples WHERE object_id = '" +
                                  place.domain.id + "'");
  CHECK(id.at(14) == '7');
  CHECK(std::string("89ab").find(id.at(19)) != std::string::npos);
  CHECK(cluster().query("SELECT abs(('x' || left(replace('" + id +
                        "', '-', ''), 12))::bit(48)::bigint - "
                        "extract(epoch FROM now()) * 1000) < 60000") == "t");
}
