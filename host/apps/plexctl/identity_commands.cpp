#include "host/apps/plexctl/identity_commands.hpp"

#include <Poco/URI.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string_view>
#include <thread>

#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/json_text.hpp"
#include "host/apps/plexctl/table.hpp"

namespace plexsphere::plexctl {
namespace {

constexpr const char* kRewrapAll = "/v1/admin/nsk/rewrap";

std::string rewrap_path(const std::string& domain) {
  return "/v1/admin/domains/" + domain + "/nsk/rewrap";
}

std::string page_path(const std::string& cursor) {
  std::string path = std::string(kRewrapAll) + "?limit=200";
  if (!cursor.empty()) {
    Poco::URI::encode(cursor, "&+#=", path += "&cursor=");
  }
  return path;
}

// Every page of the list, as one document.
Json all_runs(const Client& client) {
  Json all{{"items", Json::array()}};
  std::string cursor;
  do {
    const Json page = client.get(page_path(cursor));
    if (!page.is_object() || !page.contains("items") || !page["items"].is_array()) {
      throw Failure(ExitCode::failed, "the server's list of runs has no items");
    }
    all["items"].insert(all["items"].end(), page["items"].begin(), page["items"].end());
    std::string next = text_at(page, "next_cursor");
    if (!next.empty() && next == cursor) {
      throw Failure(ExitCode::failed, "the server's list of runs does not come to an end");
    }
    cursor = std::move(next);
  } while (!cursor.empty());
  return all;
}

Json runs_of(const Client& client, const std::string& domain) {
  return domain.empty() ? all_runs(client)
                        : Json{{"items", Json::array({client.get(rewrap_path(domain))})}};
}

std::string run_table(const Json& runs) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& run : runs["items"]) {
    rows.push_back(row_of(run, {"domain_id", "state", "from_version", "to_version", "rewrapped",
                                "total", "requested_at", "finished_at"}));
  }
  return table(
      {"DOMAIN_ID", "STATE", "FROM", "TO", "REWRAPPED", "TOTAL", "REQUESTED_AT", "FINISHED_AT"},
      rows);
}

// Keys wrapped anew and keys to wrap, and whether every run has passed its last key.
struct Progress {
  long long rewrapped = 0;
  long long total = 0;
  bool finished = true;
};

Progress progress_of(const Json& runs) {
  Progress out;
  for (const Json& run : runs["items"]) {
    out.rewrapped += run.value("rewrapped", 0LL);
    out.total += run.value("total", 0LL);
    const std::string state = text_at(run, "state");
    out.finished = out.finished && (state == "resting" || state == "done");
  }
  return out;
}

}  // namespace

std::string checked_id(const std::string& text, const std::string& name) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  const bool well_formed = std::ranges::equal(text, kForm, [](unsigned char c, char form) {
    return form == '-' ? c == '-' : std::isxdigit(c) != 0;
  });
  constexpr std::size_t kKind = 4;
  for (const char* secret : {"psb_", "psk_", "pss_", "nsk_"}) {
    if (text.starts_with(secret)) {  // which nobody may be shown again
      throw Failure(ExitCode::invalid, name + " takes an id, not a " + text.substr(0, kKind) +
                                           " credential; the id was told when it was made");
    }
  }
  if (!well_formed) {
    throw Failure(ExitCode::invalid, name + " takes an id such as " +
                                         "0197c0de-1111-7222-8333-444455556666, not '" + text +
                                         "'");
  }
  return text;
}

std::string deregister_node(const Client& client, const std::string& id, Format format) {
  const Json answer =
      client.post("/v1/admin/nodes/" + checked_id(id, "node deregister") + "/deregister");
  return format == Format::json ? pretty(answer) : "deregistered " + id + "\n";
}

std::string rewrap(const Client& client, const std::string& domain, Format format) {
  const Json answer = client.post(domain.empty() ? kRewrapAll : rewrap_path(domain));
  if (format == Format::json) {
    return pretty(answer);
  }
  return domain.empty() ? "runs begun: " + text_at(answer, "begun") + "\n"
                        : run_table({{"items", Json::array({answer})}});
}

std::string rewrap_and_wait(const Client& client, const std::string& domain, Format format,
                            std::ostream& err, std::chrono::milliseconds pause) {
  (void)rewrap(client, domain, format);
  std::string told;
  while (true) {
    const Json runs = runs_of(client, domain);
    const Progress now = progress_of(runs);
    std::string line = std::to_string(now.rewrapped) + " of " + std::to_string(now.total);
    if (line != told) {
      err << "plexctl: re-wrapped " << line << "\n";
      told = std::move(line);
    }
    if (now.finished) {
      return format == Format::json ? pretty(runs) : run_table(runs);
    }
    std::this_thread::sleep_for(pause);
  }
}

std::string rewrap_status(const Client& client, const std::string& domain, Format format) {
  const Json runs = runs_of(client, domain);
  return format == Format::json ? pretty(runs) : run_table(runs);
}

std::string show_bootstrap_token(const Client& client, const std::string& id, Format format) {
  const Json token =
      client.get("/v1/admin/bootstrap-tokens/" + checked_id(id, "bootstrap-token show"));
  if (format == Format::json) {
    return pretty(token);
  }
  return table(
      {"ID", "PROJECT_ID", "KIND", "STATE", "EXPIRES_AT", "CONSUMED_AT", "CONSUMED_BY_NODE_ID"},
      {row_of(token, {"id", "project_id", "kind", "state", "expires_at", "consumed_at",
                      "consumed_by_node_id"})});
}

}  // namespace plexsphere::plexctl
