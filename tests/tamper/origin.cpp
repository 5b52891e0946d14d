#include "tamper/origin.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/apps/plexctl/tests/running.hpp"
#include "host/apps/plexctl/tests/scripted_server.hpp"
#include "support/wait_until.hpp"
#include "test_signer.hpp"

namespace plexsphere::tamper {
namespace {

using audit::test::LiveAudit;
using audit::test::TestSigner;
using nlohmann::json;
using sdk::Uuid;

constexpr std::chrono::seconds kPatience{60};
constexpr int kSubjects = 10;
constexpr int kPage = 200;  // of an export

void require(bool holds, const std::string& what) {
  if (!holds) {
    throw std::runtime_error("the chain to tamper with could not be made: " + what);
  }
}

// Of every shape that there is: persons as objects, paths, caveats, strange text, no context.
sdk::AuditEntry entry_number(int number, const Uuid& chain) {
  sdk::AuditEntry entry;
  entry.subject_type = number % 4 == 0 ? "service-identity" : "user";
  entry.subject_id = Origin::subject(number).text();
  entry.relation = "project." + std::to_string(number % 7);
  entry.object_type = number % 9 == 0 ? "user" : "project";
  entry.object_id = number % 9 == 0 ? Origin::subject(number + 1).text()
                                    : "p\"" + std::to_string(number % 30) + "\\";
  entry.correlation_id = "c-" + std::to_string(number / 2);
  if (number % 3 == 0) {
    entry.relation_path = {"project:p#owner", "group:é#member"};
    entry.caveat_names = {{"hours", "from,to"}, {"network", "range"}};
  }
  if (number % 11 != 0) {
    entry.remote_ip = number % 2 == 0 ? "192.0.2." + std::to_string(number % 250) : "2001:db8::7";
    entry.user_agent = "plexctl/1." + std::to_string(number % 5);
  }
  return entry.in_domain(chain);
}

}  // namespace

Uuid Origin::subject(int number) {
  return *Uuid::parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f000" + std::to_string(number % kSubjects));
}

Origin::Origin() {
  make_signed_part();
  const auto live = core();  // and no signer: what comes now is under no checkpoint
  fill(*live, chain_, kEntries - head(chain_));
  require(head(chain_) == kEntries, "it has " + std::to_string(head(chain_)) + " entries");
  const std::string waiting =
      "SELECT count(*) FROM audit.audit_log_entry WHERE archived_at IS NULL";
  require(test_support::wait_until(kPatience, [&] { return ask(waiting) == "0"; }),
          "not archived: " + ask(waiting));
}

void Origin::make_signed_part() {
  static TestSigner signer;  // its tables live until the process ends
  LiveAudit live(database_, 8, settings() + "checkpoint_interval = \"100ms\"\n", signer.table());
  live.add_domain(chain_);
  live.add_domain(other_);
  fill(live, other_, kOthers);
  for (const int entries : {260, 350}) {
    fill(live, chain_, entries);
    wait_until_signed(chain_);
  }
  fill(live, chain_, 300);
  const auto erased =
      live.call("POST /v1/domains/{domain_id}/audit/erase-identity", {{"domain_id", chain_.text()}},
                {}, R"({"identity_id":")" + subject(3).text() + "\"}");
  require(erased.status == 200, "erasure answered " + std::to_string(erased.status));
  wait_until_signed(chain_);
  wait_until_signed(other_);
  exported_ = take_export(live, chain_, "export");
  other_exported_ = take_export(live, other_, "other");
  key_ = json::parse(live.call("GET /v1/domains/{domain_id}/audit/checkpoints",
                               {{"domain_id", chain_.text()}})
                         .body)
             .at("items")
             .at(0)
             .at("verifier_key")
             .get<std::string>();
}

std::string Origin::settings() const {
  const std::string key = files_.path() / "s3.key";
  ::unlink(key.c_str());
  files_.write("s3.key", mirror_.options().secret_key + "\n");
  ::chmod(key.c_str(), 0600);
  return "egress = [\"" + mirror_.url() + "\"]\negress_access_key_id = \"" +
         mirror_.options().access_key + "\"\negress_secret_key_file = \"" + key +
         "\"\narchive_endpoint = \"" + mirror_.url() + "\"\narchive_bucket = \"" +
         mirror_.options().bucket + "\"\narchive_region = \"" + mirror_.options().region +
         "\"\narchive_interval = \"100ms\"\n";
}

std::unique_ptr<LiveAudit> Origin::core(const std::string& settings) {
  auto live = std::make_unique<LiveAudit>(
      database_, 8, this->settings() + "archive_scan_interval = \"100ms\"\n" + settings);
  live->add_domain(chain_);
  live->begin_jobs();
  return live;
}

void Origin::fill(const LiveAudit& live, const Uuid& chain, int entries) {
  std::vector<sdk::AuditEntry> changes;
  for (int i = 0; i < entries; ++i) {
    changes.push_back(entry_number(made_++, chain));
  }
  const auto staged = live.stage(changes);
  require(staged.ok(), staged.ok() ? "" : staged.error().detail);
}

// Until nothing is left that calls for a checkpoint.
void Origin::wait_until_signed(const Uuid& chain) const {
  const std::string uncovered =
      "SELECT count(*) FROM audit.audit_log_entry WHERE domain_id = '" + chain.text() +
      "' AND relation NOT IN ('audit.checkpoint', 'signing.checkpoint', "
      "'signing.last_checkpoint') AND seq > (SELECT coalesce(max(size), 0) FROM "
      "audit.audit_checkpoint WHERE domain_id = '" +
      chain.text() + "')";
  require(test_support::wait_until(kPatience, [&] { return ask(uncovered) == "0"; }),
          "no checkpoint covers all of it");
}

int Origin::head(const Uuid& chain) const {
  return std::stoi(
      ask("SELECT seq FROM audit.audit_log_chain_head WHERE domain_id = '" + chain.text() + "'"));
}

// The server is one that gives what the handlers answer, and nothing else.
std::filesystem::path Origin::take_export(const LiveAudit& live, const Uuid& chain,
                                          const std::string& name) const {
  const std::string base = "/v1/domains/" + chain.text() + "/audit";
  const LiveAudit::Pairs path{{"domain_id", chain.text()}};
  const std::string limit = std::to_string(kPage);
  plexctl::ScriptedServer server;
  const auto list =
      live.call("GET /v1/domains/{domain_id}/audit/checkpoints", path, {{"limit", limit}});
  require(list.status == 200, "its checkpoints are not to be had");
  server.answer("GET " + base + "/checkpoints?limit=" + limit, 200, list.body);
  for (std::int64_t from = 1; from > 0;) {  // an entry may be missing, so page by page
    const auto page = live.call("GET /v1/domains/{domain_id}/audit/records", path,
                                {{"from", std::to_string(from)}, {"limit", limit}});
    server.answer("GET " + base + "/records?from=" + std::to_string(from) + "&limit=" + limit,
                  page.status, page.body);
    const auto items = nlohmann::json::parse(page.body).at("items");
    from = items.empty() ? 0 : items.back().at("seq").get<std::int64_t>() + 1;
  }
  const std::filesystem::path directory = files_.path() / name;
  const auto run = plexctl::plexctl(
      {"audit", "export", directory.string(), "--domain", chain.text()}, {server.url(), "psk_x"});
  require(run.code == 0, run.err);
  return directory;
}

}  // namespace plexsphere::tamper
