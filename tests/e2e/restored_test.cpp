// The whole database is restored from a backup while the signer remembers more: what everybody says
// then, and how it is put right.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using nlohmann::json;
using test_support::Completed;

namespace {

constexpr auto kSettings = "[context.audit]\ncheckpoint_interval = \"100ms\"\n";

class Site {
 public:
  Site() {
    start();
    domain = op().create_domain("acme", "10.7.0.0/16");
    REQUIRE(test_support::wait_until(60s, [&] { return newest() > 0; }));
  }

  void start() { core_ = &deployment.start_core(kSettings); }
  // Although it is not ready.
  void launch() { core_ = &deployment.launch_core(kSettings); }
  void stop() {
    core_->process().terminate();
    REQUIRE(core_->process().wait(60s) == 0);
  }
  std::string url() const { return core_->url(); }
  sim::Operator op() const { return {core_->url(), deployment.operator_token()}; }

  // Without the core.
  void back_up() { admin("CREATE DATABASE backup TEMPLATE plexsphere"); }
  void restore() {
    admin("ALTER DATABASE plexsphere RENAME TO lost");
    admin("ALTER DATABASE backup RENAME TO plexsphere");
    // What a database is allowed is no part of its template.
    admin(
        "UPDATE pg_database SET datacl = (SELECT datacl FROM pg_database WHERE datname = 'lost') "
        "WHERE datname = 'plexsphere'");
  }

  json checkpoints() const {
    return op().api().get("/v1/domains/" + domain + "/audit/checkpoints?limit=200");
  }
  int newest() const {
    const json items = checkpoints().at("items");
    return items.empty() ? 0 : items.back().at("size").get<int>();
  }
  // Makes entries until a checkpoint covers more than `size`.
  void grow_beyond(int size) {
    for (int i = 0; newest() <= size; ++i) {
      REQUIRE(i < 100);
      op().create_project(domain, "p-" + std::to_string(size) + "-" + std::to_string(i));
      (void)test_support::wait_until(2s, [&] { return newest() > size; });
    }
  }
  std::string file(const std::string& name, const std::string& text) const {
    return files.write(name, text).string();
  }
  Completed declare(const std::string& wait) const {
    return test_support::run(
        e2e::Deployment::binaries() / "plexsphere-bootstrap",
        {"audit", "declare-restored", "--domain", domain, "--reason", "nightly backup", "--wait",
         wait, "--config", deployment.core_configuration().string()});
  }
  Completed permit(const std::string& statement) const {
    const std::string tool = (e2e::Deployment::binaries() / "plexsphere-signer-permit").string();
    const std::string state = (deployment.directory() / "signer-state").string();
    return test_support::run("/bin/sh",
                             {"-c", tool + " " + state + " <" + file("statement", statement)});
  }
  Completed journal() const {
    return test_support::run("/bin/sh", {"-c", "cat " + deployment.directory().string() +
                                                   "/signer-state/journal/*.journal"});
  }
  // Exports into a directory of that name, and verifies it.
  Completed audit(const std::string& name, const std::string& key,
                  const std::vector<std::string>& earlier) const {
    const std::string token = file("token", deployment.operator_token());
    std::filesystem::permissions(token, std::filesystem::perms::owner_read);
    const auto plexctl = [&](std::vector<std::string> arguments) {
      test_support::Process::Options options;
      options.environment = {{"PLEXSPHERE_URL", url()}, {"PLEXSPHERE_TOKEN", ""}};
      return test_support::run(e2e::Deployment::binaries() / "plexctl", std::move(arguments),
                               options);
    };
    const std::string taken = (files.path() / name).string();
    const Completed exported =
        plexctl({"audit", "export", taken, "--domain", domain, "--token-file", token});
    INFO(exported.err);
    REQUIRE(exported.code == 0);
    std::vector<std::string> arguments{"audit", "verify", taken, "--key", key};
    for (const std::string& note : earlier) {
      arguments.insert(arguments.end(), {"--earlier", note});
    }
    return plexctl(arguments);
  }

  e2e::Deployment deployment;
  std::string domain;
  test_support::TempDir files;

 private:
  void admin(const std::string& sql) { deployment.postgres().query(sql, "postgres"); }

  e2e::Core* core_ = nullptr;
};

std::string statement_in(const std::string& text) {
  const auto begin = text.find("plexsphere/audit/");
  const auto end = text.find("END\n", begin);
  REQUIRE(end != std::string::npos);
  return text.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("a database restored from a backup is found, declared, and goes on", "[e2e]") {
  Site site;
  const std::string key = site.checkpoints().at("items").back().at("verifier_key");
  site.stop();
  site.back_up();
  site.start();
  const int kept = site.newest();
  site.grow_beyond(kept);
  const int lost = site.newest();
  const std::string note = site.checkpoints().at("items").back().at("note");
  const std::string held = site.file("held.note", note);
  CHECK(site.audit("before", key, {held}).code == 0);
  site.stop();
  site.restore();

  // Nobody has seen it happen, and the database knows nothing of it.
  site.launch();
  CHECK(site.newest() == kept);  // which is an entry, and so calls for a checkpoint
  const auto down = e2e::wait_for_status(site.url() + "/readyz", 503, 60s);
  CHECK(down.body.find("not what the signer signed last") != std::string::npos);
  CHECK(site.newest() == kept);
  const Completed undeclared = site.audit("undeclared", key, {held});
  CHECK((undeclared.code == 10 || undeclared.code == 11));

  // The administrator of the database alone gets no further than a statement.
  const Completed asked = site.declare("15");
  CHECK(asked.code == 1);
  CHECK(asked.err.starts_with("still open: waits for the signer's operator"));
  const std::string statement = statement_in(asked.out);
  CHECK(site.newest() == kept);
  const Completed permitted = site.permit(statement);
  CHECK(permitted.out.starts_with("permitted: the log of domain:" + site.domain));
  const Completed declared = site.declare("90");
  INFO(declared.err);
  CHECK(declared.code == 0);
  CHECK(declared.out.find("declared: epoch 2: ") != std::string::npos);

  CHECK(e2e::wait_for_status(site.url() + "/readyz", 200, 60s).status == 200);
  site.grow_beyond(lost + 1);  // beyond what there was, which is no other chain for all that
  const Completed restored = site.audit("restored", key, {held});
  CHECK(restored.code == 13);
  CHECK(restored.err.find("\"nightly backup\"") != std::string::npos);
  const std::string after =
      site.file("after.note", site.checkpoints().at("items").back().at("note"));
  CHECK(site.audit("known", key, {after}).code == 0);
  CHECK(site.journal().out.find(" restores k-") != std::string::npos);
}
