#include "host/apps/plexctl/commands.hpp"

#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/json_text.hpp"
#include "host/apps/plexctl/table.hpp"
#include "host/base/build_info.hpp"

namespace plexsphere::plexctl {
std::string version_line() {
  const host::BuildInfo& info = host::build_info();
  return "version=" + std::string{info.version} + " commit=" + std::string{info.commit} +
         " date=" + std::string{info.date};
}

std::string version(Format format) {
  if (format == Format::text) {
    return version_line() + "\n";
  }
  const host::BuildInfo& info = host::build_info();
  return pretty({{"version", info.version}, {"commit", info.commit}, {"date", info.date}});
}

std::string list_plugins(const Client& client, Format format) {
  const Json answer = client.get("/v1/admin/plugins");
  if (!answer.is_object() || !answer.contains("items") || !answer["items"].is_array()) {
    throw Failure(ExitCode::failed, "the server's list of plugins has no items");
  }
  if (format == Format::json) {
    return pretty(answer);
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& plugin : answer["items"]) {
    rows.push_back(row_of(plugin, {"id", "version", "state", "reason"}));
  }
  return table({"ID", "VERSION", "STATE", "REASON"}, rows);
}

std::string whoami(const Client& client, Format format) {
  const Json answer = client.get("/v1/auth/whoami");
  if (text_at(answer, "subject").empty()) {
    throw Failure(ExitCode::failed, "the server's answer names no subject");
  }
  if (format == Format::json) {
    return pretty(answer);
  }
  return table(
      {"TYPE", "SCOPE", "SUBJECT", "DOMAIN_ID", "EMAIL"},
      {row_of(answer, {"principal_type", "principal_scope", "subject", "domain_id", "email"})});
}

}  // namespace plexsphere::plexctl
