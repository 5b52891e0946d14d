#include "host/apps/plexctl/app.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <ostream>
#include <vector>

#include "host/apps/plexctl/audit_commands.hpp"
#include "host/apps/plexctl/audit_proof.hpp"
#include "host/apps/plexctl/commands.hpp"
#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/identity_commands.hpp"
#include "host/apps/plexctl/table.hpp"

namespace plexsphere::plexctl {
namespace {

struct CommandLine {
  std::string server;
  std::string token_file;
  std::string output = "text";
  std::string id;                     // of what the command is about
  std::optional<std::string> domain;  // nothing: all
  std::string directory;              // of an export
  std::vector<std::string> keys;      // that are trusted
  std::vector<std::string> earlier;   // files with notes
  ProofRequest proof;
  bool platform = false;
  bool all = false;
  bool yes = false;
  bool wait = false;

  Format format() const { return output == "json" ? Format::json : Format::text; }
  // Empty for all: one that was given empty, as by a variable that is not set, is refused.
  std::string chosen_domain() const {
    return domain ? checked_id(*domain, "--domain") : std::string();
  }
};

void add_global_flags(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", version_line());
  app.add_option("--server", line.server, "https://host[:port] (else PLEXSPHERE_URL)");
  app.add_option("--token-file", line.token_file,
                 "file with the API token, mode 0600 (else PLEXSPHERE_TOKEN)");
  app.add_option("--output", line.output, "text or json (default text)")
      ->check(CLI::IsMember({"text", "json"}));
}

Client connect(const CommandLine& line, const Environment& environment, std::ostream& err) {
  Server server = resolve_server(line.server, environment);
  Token token = resolve_token(line.token_file, environment);
  if (!server.tls && !server.is_loopback()) {
    err << "plexctl: warning: http:// to " << server.host
        << " shows the token to the network; use https://\n";
  }
  return {std::move(server), std::move(token)};
}

// What is run when `app` was given: with a server, or offline.
struct Command {
  CLI::App* app;
  std::function<std::string(const Client&)> run;
  std::function<std::string()> offline = {};
};

CLI::App* family(CLI::App& app, const char* name, const char* about) {
  CLI::App* made = app.add_subcommand(name, about);
  made->require_subcommand(1);
  return made;
}

void add_node_commands(CLI::App& app, CommandLine& line, std::vector<Command>& commands) {
  CLI::App* end = family(app, "node", "Nodes")->add_subcommand("deregister", "end a Node for good");
  end->add_option("id", line.id, "the Node's id")->required();
  end->add_flag("--yes", line.yes, "confirm: its key, address and relations are gone after it")
      ->required();
  commands.push_back(
      {end, [&line](const Client& c) { return deregister_node(c, line.id, line.format()); }});
}

void add_nsk_commands(CLI::App& app, CommandLine& line, std::ostream& err,
                      std::vector<Command>& commands) {
  constexpr std::chrono::milliseconds kPause{500};
  CLI::App* nsk = family(app, "nsk", "wrap keys of Node secret keys");
  CLI::App* begin = nsk->add_subcommand("rewrap", "a new wrap key, and every secret key under it");
  auto* which = begin->add_option_group("which");
  which->add_option("--domain", line.domain, "id of one Domain");
  which->add_flag("--all", line.all, "every Domain");
  which->require_option(1);
  begin->add_flag("--wait", line.wait, "until no key names an older wrap key");
  commands.push_back({begin, [&line, &err](const Client& c) {
                        const std::string domain = line.chosen_domain();
                        return line.wait ? rewrap_and_wait(c, domain, line.format(), err, kPause)
                                         : rewrap(c, domain, line.format());
                      }});
  CLI::App* status = nsk->add_subcommand("status", "how far the newest run of each Domain is");
  status->add_option("--domain", line.domain, "id of one Domain");
  commands.push_back({status, [&line](const Client& c) {
                        return rewrap_status(c, line.chosen_domain(), line.format());
                      }});
}

void add_token_commands(CLI::App& app, CommandLine& line, std::vector<Command>& commands) {
  CLI::App* show = family(app, "bootstrap-token", "bootstrap tokens")
                       ->add_subcommand("show", "how one ended, and which Node used it");
  show->add_option("id", line.id, "the token's id")->required();
  commands.push_back(
      {show, [&line](const Client& c) { return show_bootstrap_token(c, line.id, line.format()); }});
}

void choose_chain(CLI::App* command, CommandLine& line) {
  auto* which = command->add_option_group("which");
  which->add_option("--domain", line.domain, "id of the Domain whose chain it is");
  which->add_flag("--platform", line.platform, "the platform's chain");
  which->require_option(1);
}

void add_prove_command(CLI::App* audit, CommandLine& line, std::vector<Command>& commands) {
  CLI::App* prove = audit->add_subcommand(
      "prove", "an entry to be in a checkpoint, or a checkpoint to begin with an older one");
  prove->add_option("file", line.proof.file, "a new file for the proof")->required();
  choose_chain(prove, line);
  prove
      ->add_option("--key", line.proof.keys,
                   "verifier key of the signer that you trust; repeatable")
      ->required()
      ->allow_extra_args(false);
  prove->add_option("--entry", line.proof.entry, "number of the entry")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53U));
  prove->add_option("--in", line.proof.in, "file with the checkpoint's note (else the newest)");
  prove->add_option("--earlier", line.proof.earlier, "file with an older checkpoint's note");
  commands.push_back({prove, [&line](const Client& c) {
                        line.proof.domain = line.chosen_domain();
                        return prove_audit(c, line.proof, line.format());
                      }});
}

void add_audit_commands(CLI::App& app, CommandLine& line, std::ostream& err,
                        std::vector<Command>& commands) {
  CLI::App* audit = family(app, "audit", "audit chains");
  CLI::App* take = audit->add_subcommand("export", "a chain and its checkpoints into a directory");
  take->add_option("directory", line.directory, "a new directory, or an empty one")->required();
  choose_chain(take, line);
  commands.push_back({take, [&line, &err](const Client& c) {
                        return export_audit(c, line.directory, line.chosen_domain(), line.format(),
                                            err);
                      }});
  CLI::App* verify =
      audit->add_subcommand("verify", "an export or a proof, offline; asks no server");
  verify->add_option("path", line.directory, "what `audit export` or `audit prove` made")
      ->required();
  verify->add_option("--key", line.keys, "verifier key of the signer that you trust; repeatable")
      ->required()
      ->allow_extra_args(false);
  verify
      ->add_option("--earlier", line.earlier,
                   "file with a note that you kept from before the export; repeatable")
      ->allow_extra_args(false);
  commands.push_back({verify, {}, [&line] {
                        return verify_audit(line.directory, line.keys, line.earlier, line.format());
                      }});
  add_prove_command(audit, line, commands);
}

std::vector<Command> add_commands(CLI::App& app, CommandLine& line, std::ostream& err) {
  std::vector<Command> commands;
  CLI::App* list = family(app, "plugins", "the server's plugins")
                       ->add_subcommand("list", "id, version, state and reason of each");
  commands.push_back({list, [&line](const Client& c) { return list_plugins(c, line.format()); }});
  CLI::App* who = app.add_subcommand("whoami", "who the token says you are");
  commands.push_back({who, [&line](const Client& c) { return whoami(c, line.format()); }});
  add_node_commands(app, line, commands);
  add_nsk_commands(app, line, err, commands);
  add_token_commands(app, line, commands);
  add_audit_commands(app, line, err, commands);
  return commands;
}

// CLI11 says of a word that is no command only that a command is missing.
std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  const auto known = at->get_subcommands([](const CLI::App*) { return true; });
  if (error.get_name() != "RequiredError" || known.empty()) {
    return error.what();
  }
  const auto words = app.remaining(true);
  std::string text =
      words.empty() ? "a command is missing" : "there is no command '" + words[0] + "'";
  text += "; after '" + at->get_name() + "' there may come:";
  for (const CLI::App* each : known) {
    text += " " + each->get_name();
  }
  return text;
}

}  // namespace

int run_plexctl(const std::vector<std::string>& arguments, const Environment& environment,
                std::ostream& out, std::ostream& err) {
  CommandLine line;
  CLI::App app("The plexsphere control plane from a shell", "plexctl");
  app.fallthrough();  // before the commands are made: global flags may follow them
  app.require_subcommand(1);
  add_global_flags(app, line);
  const std::vector<Command> commands = add_commands(app, line, err);
  CLI::App* build = app.add_subcommand("version", "version, commit and date of this plexctl");
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error, out, err);  // --help
    }
    err << "plexctl: " << printable(complaint(app, error)) << "; see plexctl --help\n";
    return static_cast<int>(ExitCode::invalid);
  }
  try {
    if (build->parsed()) {
      out << version(line.format());
    }
    for (const Command& command : commands) {
      if (command.app->parsed()) {
        out << (command.offline ? command.offline() : command.run(connect(line, environment, err)));
      }
    }
    out.flush();
    if (!out) {
      throw Failure(ExitCode::failed, "the output could not be written");
    }
    return static_cast<int>(ExitCode::ok);
  } catch (const Failure& failure) {
    err << "plexctl: " << printable(failure.what()) << "\n";
    return static_cast<int>(failure.code());
  } catch (const std::exception& error) {
    err << "plexctl: " << printable(error.what()) << "\n";
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace plexsphere::plexctl
