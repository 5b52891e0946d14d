#include "host/apps/plexsphere-bootstrap/app.hpp"

#include <CLI/CLI.hpp>
#include <ostream>

#include "host/apps/plexsphere-bootstrap/declare_restored.hpp"
#include "host/apps/plexsphere-bootstrap/operator.hpp"
#include "host/apps/plexsphere-bootstrap/rebuild_tree.hpp"
#include "host/apps/plexsphere-bootstrap/restore.hpp"
#include "host/apps/runtime/host_config.hpp"
#include "host/base/build_info.hpp"
#include "host/config/configuration.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/store_error.hpp"
#include "host/services/data_settings.hpp"

namespace plexsphere::host::apps {
namespace {

constexpr const char* kDefaultConfig = "/etc/plexsphere/plexsphere.toml";

struct CommandLine {
  std::string config_file;
  OperatorRequest op;
  RestoreRequest restore;
  std::int64_t restore_wait = 600;  // seconds
  std::string tree;                 // whose it is
  DeclareRequest declare;
  std::int64_t declare_wait = 600;  // seconds
};

std::string version_line() {
  const BuildInfo& info = build_info();
  return "version=" + std::string{info.version} + " commit=" + std::string{info.commit} +
         " date=" + std::string{info.date};
}

// The same file as the core's, so every table of it is known here; what the core alone needs, such
// as the root key, is not looked at.
config::LoadResult read(const CommandLine& line) {
  config::Sources sources;
  sources.main_file = line.config_file.empty() ? kDefaultConfig : line.config_file;
  sources.dropin_directory = sources.main_file.parent_path() / "conf.d";
  auto sections = host_sections(":8080", {});
  sections.push_back(database_section());
  sections.push_back(seal_section());
  sections.push_back(egress_section());
  return config::load(sources, sections);
}

// Manifests of the enabled contexts. Throws StoreError naming what is wrong with one.
std::vector<config::Manifest> enabled_manifests(const config::Configuration& configuration) {
  const std::filesystem::path directory = configuration.section("plugins").string("directory");
  std::vector<config::Manifest> manifests;
  for (const std::string& id : configuration.contexts()) {
    if (!configuration.enabled(id)) {
      continue;
    }
    auto read = config::read_manifest(directory / id);
    if (!read.issues.empty()) {
      throw persistence::StoreError(PX_FAILED_PRECONDITION, "manifest",
                                    "context '" + id + "': " + read.issues.front().text());
    }
    manifests.push_back(std::move(read.manifest));
  }
  return manifests;
}

std::string require_admin_dsn(const config::Configuration& configuration) {
  const auto dsn = admin_dsn(configuration.section("database"));
  if (!dsn) {
    throw persistence::StoreError(PX_FAILED_PRECONDITION, "admin_dsn", dsn.status().message());
  }
  return *dsn;
}

void run_migrate(const config::Configuration& configuration, std::ostream& out) {
  migration::MigrateOptions options;
  options.admin_dsn = require_admin_dsn(configuration);
  if (const auto dsn = core_dsn(configuration.section("database"))) {
    options.core_dsn = *dsn;
  }
  const auto plans = migration::plans_for(enabled_manifests(configuration));
  const migration::MigrateReport report = migration::migrate(options, plans);
  for (const auto& file : report.applied) {
    out << "applied " << file.context << "/" << file.name << "\n";
  }
  out << "migrations: " << report.applied.size() << " applied, " << report.present
      << " present before\n";
}

void run_operator(const config::Configuration& configuration, const OperatorRequest& request,
                  std::ostream& out, std::ostream& err) {
  const OperatorToken token = create_operator(require_admin_dsn(configuration), request);
  err << "WARNING: break-glass operator: it may do anything on the whole platform\n"
      << "operator created: name=" << request.name << " user_id=" << token.user_id
      << " token_id=" << token.token_id << " expires_at=" << token.expires_at << "\n"
      << "audit: the core writes operator.create to the platform's chain, correlation id "
      << token.token_id << ", before the token opens anything\n";
  out << "# WARNING: this is the only time this plaintext will be displayed\n"
      << token.text() << std::endl;
}

// Whether the window is back and proved.
bool run_restore(const config::Configuration& configuration, RestoreRequest request,
                 std::int64_t wait, std::ostream& out, std::ostream& err) {
  request.wait = std::chrono::seconds(wait);
  const RestoreAnswer answer = restore_audit(require_admin_dsn(configuration), request);
  const std::string what = answer.detail + "\nrequest: " + answer.id + "\n";
  if (answer.outcome == "restored") {
    out << "restored: " << what;
    return true;
  }
  if (answer.outcome == "refused") {
    err << "refused: " << what;
  } else {
    err << "still open: "
        << (answer.detail.empty() ? "no core with a mirror has taken it up; one that is started "
                                    "later will\nrequest: " +
                                        answer.id + "\n"
                                  : what)
        << "see audit.audit_restore_request\n";
  }
  return false;
}

// Whether the restore is declared and signed.
bool run_declare(const config::Configuration& configuration, DeclareRequest request,
                 std::int64_t wait, std::ostream& out, std::ostream& err) {
  request.wait = std::chrono::seconds(wait);
  const DeclareAnswer answer = declare_restored(
      require_admin_dsn(configuration), request, [&out](const DeclareAnswer& drafted) {
        out << "the signer's operator permits this, on the signer's host:\n"
            << "plexsphere-signer-permit STATE_DIRECTORY <<'END'\n"
            << drafted.statement << "END\n"
            << std::flush;
      });
  const std::string what = answer.detail + "\nrequest: " + answer.id + "\n";
  if (answer.outcome == "declared") {
    out << "declared: " << what;
    return true;
  }
  if (answer.outcome == "refused") {
    err << "refused: " << what;
  } else {
    err << "still open: "
        << (answer.detail.empty() ? "no core has taken it up; one that is started later will"
                                  : answer.detail)
        << "\nrequest: " << answer.id << "\nsee audit.audit_epoch_request\n";
  }
  return false;
}

}  // namespace

int run_bootstrap(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CommandLine line;
  CLI::App app("Prepares the database of plexsphere and its first operator",
               "plexsphere-bootstrap");
  app.set_version_flag("--version", version_line());
  app.require_subcommand(1);
  const auto with_config = [&line](CLI::App* command) {
    command->add_option(
        "--config", line.config_file,
        std::string{"configuration file of the core (default "} + kDefaultConfig + ")");
    return command;
  };
  CLI::App* migrate = with_config(app.add_subcommand("migrate", "apply what is outstanding"));
  CLI::App* people = app.add_subcommand("operator", "operators and their API tokens");
  people->require_subcommand(1);
  CLI::App* create = with_config(people->add_subcommand("create", "make one, show its token once"));
  create->add_option("--name", line.op.name, "display name, 1 to 255 characters")->required();
  create->add_option("--environment", line.op.environment,
                     "word in the token, a to z (default prod)");
  create->add_option("--days", line.op.days, "until the token expires (default 365)")
      ->check(CLI::Range(1, 3650));
  CLI::App* audit = app.add_subcommand("audit", "the audit log");
  audit->require_subcommand(1);
  CLI::App* restore = with_config(audit->add_subcommand(
      "restore", "bring dropped entries back from the mirror, and prove them"));
  restore->add_option("--domain", line.restore.chain, "whose chain: the Domain's id")->required();
  restore->add_option("--from", line.restore.from, "first entry of the window")->required();
  restore->add_option("--to", line.restore.to, "last entry of the window")->required();
  restore->add_option("--wait", line.restore_wait, "seconds to wait for the proof (default 600)")
      ->check(CLI::Range(0, 86400));
  CLI::App* declare = with_config(audit->add_subcommand(
      "declare-restored", "declare a chain of a restored database, for the signer to sign"));
  declare->add_option("--domain", line.declare.chain, "whose chain: the Domain's id")->required();
  declare->add_option("--reason", line.declare.reason, "for the statement, 1 to 200 characters")
      ->required();
  declare->add_option("--wait", line.declare_wait, "seconds to wait for it (default 600)")
      ->check(CLI::Range(0, 86400));
  CLI::App* tree = with_config(audit->add_subcommand(
      "rebuild-tree", "drop a chain's kept tree nodes, for the core to grow them anew"));
  tree->add_option("--domain", line.tree, "whose chain: the Domain's id")->required();
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? 0 : 2;
  }
  try {
    const config::LoadResult loaded = read(line);
    for (const auto& issue : loaded.issues) {
      err << issue.text() << "\n";
    }
    if (!loaded.issues.empty()) {
      return 1;
    }
    if (restore->parsed()) {
      return run_restore(loaded.configuration, line.restore, line.restore_wait, out, err) ? 0 : 1;
    }
    if (tree->parsed()) {
      const auto dropped = rebuild_tree(require_admin_dsn(loaded.configuration), line.tree);
      out << "dropped " << dropped
          << " nodes; the next checkpoint grows them anew and proves them against the last\n";
      return 0;
    }
    if (declare->parsed()) {
      return run_declare(loaded.configuration, line.declare, line.declare_wait, out, err) ? 0 : 1;
    }
    if (migrate->parsed()) {
      run_migrate(loaded.configuration, out);
    } else {
      run_operator(loaded.configuration, line.op, out, err);
    }
    return 0;
  } catch (const std::exception& error) {
    err << "plexsphere-bootstrap: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace plexsphere::host::apps
