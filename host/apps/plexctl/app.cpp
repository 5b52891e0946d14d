#include "host/apps/plexctl/app.hpp"

#include <CLI/CLI.hpp>
#include <ostream>

#include "host/apps/plexctl/commands.hpp"
#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/table.hpp"

namespace plexsphere::plexctl {
namespace {

struct CommandLine {
  std::string server;
  std::string token_file;
  std::string output = "text";

  Format format() const { return output == "json" ? Format::json : Format::text; }
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

}  // namespace

int run_plexctl(const std::vector<std::string>& arguments, const Environment& environment,
                std::ostream& out, std::ostream& err) {
  CommandLine line;
  CLI::App app("The plexsphere control plane from a shell", "plexctl");
  app.fallthrough();  // before the commands are made: global flags may follow them
  app.require_subcommand(1);
  add_global_flags(app, line);
  CLI::App* plugins = app.add_subcommand("plugins", "the server's plugins");
  plugins->require_subcommand(1);
  CLI::App* list = plugins->add_subcommand("list", "id, version, state and reason of each");
  CLI::App* who = app.add_subcommand("whoami", "who the token says you are");
  CLI::App* build = app.add_subcommand("version", "version, commit and date of this plexctl");
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(app.exit(error, out, err) == 0 ? ExitCode::ok : ExitCode::invalid);
  }
  try {
    if (build->parsed()) {
      out << version(line.format());
    } else if (list->parsed()) {
      out << list_plugins(connect(line, environment, err), line.format());
    } else if (who->parsed()) {
      out << whoami(connect(line, environment, err), line.format());
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
