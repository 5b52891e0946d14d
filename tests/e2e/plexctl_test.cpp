// plexctl as an operator runs it, against the whole product.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/deployment.hpp"
#include "sim/node.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using nlohmann::json;
using test_support::Completed;

namespace {

// A terminal of the operator's: plexctl in its PATH, a directory with operator.token in it.
class Terminal {
 public:
  explicit Terminal(e2e::Deployment& deployment)
      : deployment_(deployment), url_(deployment.start_core().url()) {
    token_file_ = write_token("operator.token", deployment.operator_token(), 0600);
  }

  const std::string& url() const { return url_; }
  const std::string& token_file() const { return token_file_; }

  std::string write_token(const std::string& name, const std::string& token, mode_t mode) const {
    const auto path = files_.write(name, token + "\n");
    ::chmod(path.c_str(), mode);
    return path.string();
  }
  Completed plexctl(std::vector<std::string> arguments, const std::string& server = {}) const {
    const Completed done = test_support::run(e2e::Deployment::binaries() / "plexctl",
                                             std::move(arguments), surroundings(server));
    CHECK((done.out + done.err).find(deployment_.operator_token()) == std::string::npos);
    return done;
  }
  // As plexctl, with the operator's token.
  Completed op(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--token-file", token_file_});
    return plexctl(std::move(arguments));
  }
  Completed whoami(const std::string& server) const {
    return plexctl({"whoami", "--token-file", token_file_}, server);
  }
  // `variables`: of the shell, beside the operator's own.
  Completed shell(const std::string& line,
                  const std::map<std::string, std::string>& variables) const {
    auto options = surroundings({});
    options.environment.insert(variables.begin(), variables.end());
    return test_support::run("/bin/sh", {"-c", line}, options);
  }

 private:
  test_support::Process::Options surroundings(const std::string& server) const {
    test_support::Process::Options options;
    options.directory = files_.path();
    options.environment = {{"PLEXSPHERE_URL", server.empty() ? url_ : server},
                           {"PLEXSPHERE_TOKEN", ""},
                           {"PATH", e2e::Deployment::binaries().string() + ":/usr/bin:/bin"}};
    return options;
  }

  e2e::Deployment& deployment_;
  std::string url_;
  test_support::TempDir files_;
  std::string token_file_;
};

// A token whose user has no relation to anything.
std::string stranger(e2e::Deployment& deployment) {
  const auto made = test_support::run(e2e::Deployment::binaries() / "plexsphere-bootstrap",
                                      {"operator", "create", "--name", "stranger", "--config",
                                       deployment.core_configuration().string()});
  REQUIRE(made.code == 0);
  deployment.postgres().query(
      "DELETE FROM authz.relation_tuples WHERE subject_id = (SELECT id::text FROM "
      "identity.user_account WHERE display_name = 'stranger')",
      "plexsphere");
  const auto at = made.out.find("psk_");
  return made.out.substr(at, made.out.find('\n', at) - at);
}

// A Domain with one Node.
struct Mesh {
  std::string domain;
  std::string node;
  std::string token;  // the id of the one that the Node used
};

Mesh make_mesh(e2e::Deployment& deployment) {
  const auto op = deployment.op();
  Mesh mesh;
  mesh.domain = op.create_domain("acme", "10.7.0.0/24");
  const std::string project = op.create_project(mesh.domain, "edge");
  op.create_resource(project, "vm-1");
  const json issued =
      op.api().post("/v1/projects/" + project + "/bootstrap-tokens",
                    {{"kind", "node"}, {"env_prefix", "dev"}, {"ttl_seconds", 300}});
  mesh.token = issued.at("token_id");
  mesh.node =
      sim::Node::enrol(op.api().base(), {project, "vm-1", issued.at("token"), sim::make_nonce()})
          .id();
  return mesh;
}

// The verifier key of the Domain's newest checkpoint, and of the platform's; waits until both
// chains have one.
std::string checkpoint_key(const sim::Operator& op, const std::string& domain) {
  std::string key;
  const auto newest = [&](const std::string& chain) {
    const json all = op.api().get(chain + "/checkpoints");
    if (all.at("items").empty()) {
      return false;
    }
    key = all.at("items").back().at("verifier_key");
    return true;
  };
  REQUIRE(test_support::wait_until(std::chrono::seconds(60), [&] {
    return newest("/v1/platform/audit") && newest("/v1/domains/" + domain + "/audit");
  }));
  return key;
}

// The lines of the page's ```sh blocks.
std::vector<std::string> documented_commands() {
  std::istringstream page(
      test_support::read_file(PLEXSPHERE_SOURCE_DIR "/docs/operator/plexctl.md"));
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside) {
      commands.push_back(line);
    }
  }
  return commands;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an operator sees from a shell who they are and what became of every plugin", "[e2e]") {
  e2e::Deployment deployment;
  const Terminal terminal(deployment);

  SECTION("every documented command does what the page says") {
    const auto commands = documented_commands();
    const Mesh mesh = make_mesh(deployment);
    const std::string key = checkpoint_key(deployment.op(), mesh.domain);
    CHECK(commands.size() >= 18);
    const json held =
        deployment.op().api().get("/v1/domains/" + mesh.domain + "/audit/checkpoints");
    std::string note = held.at("items").front().at("note");
    note.pop_back();  // the newline that a file of the terminal's ends in
    terminal.write_token("held.note", note, 0600);
    for (const std::string& command : commands) {
      INFO(command);
      const auto done = terminal.shell(
          command,
          {{"DOMAIN", mesh.domain}, {"NODE", mesh.node}, {"TOKEN_ID", mesh.token}, {"KEY", key}});
      INFO(done.err);
      CHECK(done.code == 0);
      CHECK((done.out.empty() == command.starts_with("chmod")));
    }
  }

  SECTION("text lines up, JSON is the server's answer") {
    const std::vector<std::string> list{"plugins", "list", "--token-file", terminal.token_file()};
    const auto text = terminal.plexctl(list);
    CHECK(text.code == 0);
    CHECK(text.err.empty());
    CHECK(text.out.starts_with("ID              VERSION  STATE     REASON\n"));
    CHECK(contains(text.out, "\nsigning_client  0.1.0    running   -\n"));
    CHECK(contains(text.out, "rejected  this process never loads 'signing'"));

    auto as_json = list;
    as_json.insert(as_json.end(), {"--output", "json"});
    const auto shown = json::parse(terminal.plexctl(as_json).out);
    CHECK(shown == deployment.op().api().get("/v1/admin/plugins"));
    CHECK(std::ranges::count(text.out, '\n') ==
          static_cast<std::ptrdiff_t>(shown.at("items").size()) + 1);

    const auto me =
        terminal.plexctl({"--output", "json", "whoami", "--token-file", terminal.token_file()});
    CHECK(json::parse(me.out) == deployment.op().api().get("/v1/auth/whoami"));
  }

  SECTION("each refusal has its exit code, and the server's has its correlation id") {
    const auto wrong = terminal.write_token("wrong.token", deployment.operator_token() + "x", 0600);
    const auto unknown = terminal.plexctl({"whoami", "--token-file", wrong});
    CHECK(unknown.code == 3);
    CHECK(contains(unknown.err, "401 unauthenticated: "));
    CHECK(contains(unknown.err, "(correlation id "));
    CHECK(unknown.out.empty());

    const auto other = terminal.write_token("other.token", stranger(deployment), 0600);
    CHECK(terminal.plexctl({"whoami", "--token-file", other}).code == 0);
    const auto denied = terminal.plexctl({"plugins", "list", "--token-file", other});
    CHECK(denied.code == 77);
    CHECK(contains(denied.err, "403 permission_denied: "));
    CHECK(contains(denied.err, "(correlation id "));

    const auto open = terminal.write_token("open.token", deployment.operator_token(), 0644);
    const auto refused = terminal.plexctl({"whoami", "--token-file", open});
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "chmod 600"));

    CHECK(terminal.whoami(terminal.url() + "/nowhere").code == 4);
    CHECK(terminal.plexctl({"whoami"}).code == 2);
  }

  SECTION("what is not provisioned, and a server that is away, are exit code 6") {
    const auto bare = deployment.start_core("[context.meta]\nenabled = false\n").url();
    const auto list =
        terminal.plexctl({"plugins", "list", "--token-file", terminal.token_file()}, bare);
    CHECK(list.code == 6);
    CHECK(contains(list.err, "501 plugins_not_provisioned"));
    CHECK(terminal.whoami(bare).code == 0);

    e2e::Core& gone = deployment.start_core();
    gone.process().kill();
    const auto away = terminal.whoami(gone.url());
    CHECK(away.code == 6);
    CHECK(contains(away.err, "no answer from 127.0.0.1"));
  }
}

TEST_CASE("an operator renews wrap keys from a shell, and sees how far it is", "[e2e]") {
  e2e::Deployment deployment;
  const Terminal terminal(deployment);
  const Mesh mesh = make_mesh(deployment);

  CHECK(terminal.op({"nsk", "status"}).out.starts_with("DOMAIN_ID  STATE"));
  CHECK(terminal.op({"nsk", "status", "--domain", mesh.domain}).code == 4);
  CHECK(terminal.op({"nsk", "rewrap"}).code == 2);
  CHECK(terminal.op({"nsk", "rewrap", "--all", "--domain", mesh.domain}).code == 2);
  CHECK(terminal.op({"nsk", "rewrap", "--domain", "acme"}).code == 2);
  const auto other = terminal.write_token("other.token", stranger(deployment), 0600);
  CHECK(terminal.plexctl({"nsk", "rewrap", "--all", "--token-file", other}).code == 77);

  const auto done = terminal.op({"nsk", "rewrap", "--domain", mesh.domain, "--wait"});
  CHECK(done.code == 0);
  CHECK(contains(done.err, "plexctl: re-wrapped 1 of 1\n"));
  CHECK(contains(done.out, mesh.domain + "  resting  1     2   1          1"));
  const auto status = terminal.op({"nsk", "status", "--output", "json"});
  const json run = json::parse(status.out).at("items").at(0);
  CHECK(run == deployment.op().api().get("/v1/admin/domains/" + mesh.domain + "/nsk/rewrap"));
  CHECK(run.at("state") == "resting");
  CHECK(contains(terminal.op({"nsk", "rewrap", "--all"}).out, "runs begun: 0\n"));
}

TEST_CASE("an auditor takes a chain home, and finds there what is done to it", "[e2e]") {
  e2e::Deployment deployment;
  const Terminal terminal(deployment);
  const Mesh mesh = make_mesh(deployment);
  const std::string key = checkpoint_key(deployment.op(), mesh.domain);
  const auto take = [&](const std::string& name) {
    return terminal.op({"audit", "export", name, "--domain", mesh.domain});
  };
  const auto verify = [&](const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"audit", "verify", name, "--key", key};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return terminal.plexctl(arguments);
  };
  REQUIRE(take("first").code == 0);
  const auto intact = verify("first");
  CHECK(intact.code == 0);
  CHECK(contains(intact.out, "intact: "));
  CHECK(take("first").code == 2);
  const auto other = terminal.write_token("other.token", stranger(deployment), 0600);
  CHECK(terminal.plexctl({"audit", "export", "none", "--platform", "--token-file", other}).code ==
        77);

  // Somebody with the database changes an entry and makes every hash after it fit. The checkpoints
  // that were signed before cannot be made to.
  deployment.postgres().query(
      "SET session_replication_role = replica; DO $$ DECLARE r record; before bytea; BEGIN FOR r "
      "IN "
      "SELECT * FROM audit.audit_log_entry WHERE domain_id = '" +
          mesh.domain +
          "' ORDER BY seq LOOP UPDATE audit.audit_log_entry e SET prev_hash = coalesce(before, "
          "e.prev_hash), canonical_bytes = CASE WHEN e.seq = 1 THEN "
          "convert_to(replace(convert_from(canonical_bytes, 'UTF8'), 'granted', 'unknown'), "
          "'UTF8') "
          "ELSE canonical_bytes END WHERE e.domain_id = r.domain_id AND e.seq = r.seq; UPDATE "
          "audit.audit_log_entry e SET entry_hash = sha256(prev_hash || sha256(canonical_bytes)) "
          "WHERE e.domain_id = r.domain_id AND e.seq = r.seq RETURNING entry_hash INTO before; END "
          "LOOP; UPDATE audit.audit_log_chain_head SET entry_hash = before WHERE domain_id = '" +
          mesh.domain + "'; END $$",
      "plexsphere");
  REQUIRE(take("second").code == 0);
  const auto forged = verify("second");
  CHECK(forged.code == 10);
  CHECK(contains(forged.err, "are not those of a signed checkpoint"));
}

TEST_CASE("an operator sees from a shell which Node used a bootstrap token, and ends that Node",
          "[e2e]") {
  e2e::Deployment deployment;
  const Terminal terminal(deployment);
  const Mesh mesh = make_mesh(deployment);

  const auto shown = terminal.op({"bootstrap-token", "show", mesh.token});
  CHECK(shown.code == 0);
  CHECK(contains(shown.out, "node  consumed  "));
  CHECK(contains(shown.out, mesh.node));
  const auto as_json = terminal.op({"bootstrap-token", "show", mesh.token, "--output", "json"});
  CHECK(json::parse(as_json.out).at("consumed_by_node_id") == mesh.node);
  const auto other = terminal.write_token("other.token", stranger(deployment), 0600);
  const auto hidden =
      terminal.plexctl({"bootstrap-token", "show", mesh.token, "--token-file", other});
  CHECK(hidden.code == 4);
  CHECK(contains(hidden.err, "404 not_found: "));

  CHECK(terminal.op({"node", "deregister", mesh.node}).code == 2);  // not without --yes
  const auto ended = terminal.op({"node", "deregister", mesh.node, "--yes"});
  CHECK(ended.code == 0);
  CHECK(ended.out == "deregistered " + mesh.node + "\n");
  CHECK(deployment.op().api().get("/v1/nodes").at("items").empty());
}
