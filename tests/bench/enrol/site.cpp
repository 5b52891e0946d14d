#include "bench/enrol/site.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "bench/support/client_socket.hpp"
#include "bench/support/histogram.hpp"
#include "bench/support/http_answer.hpp"
#include "sim/node.hpp"
#include "support/pg_template.hpp"
#include "support/process.hpp"

namespace plexsphere::bench {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

namespace {

constexpr const char* kMinimumCost =
    "[context.identity]\nargon2_memory_kib = 8\nargon2_passes = 1\n";
constexpr int kPatienceMs = 30'000;
constexpr int kWarmUp = 3;  // transactions of each pgbench client

// Without what jobs add in their own time: checkpoints of the chains, who made them, and the
// watch's doubts about an entry whose parameters are renamed ones: no core would have made it.
constexpr const char* kCountRows = R"sql(
SELECT schemaname || '.' || relname || ' ' || (xpath('/row/c/text()', query_to_xml(
         format('SELECT count(*) AS c FROM %I.%I %s', schemaname, relname,
                CASE relname WHEN 'audit_log_entry'
                     THEN $$WHERE relation NOT IN ('audit.checkpoint', 'signing.checkpoint',
                                            'signing.last_checkpoint')$$
                     WHEN 'audit_subject_pii' THEN $$WHERE subject_type <> 'system'$$
                END), false, true, '')))[1]
  FROM pg_stat_user_tables
 WHERE schemaname IN ('audit', 'authz', 'identity', 'mesh', 'platform', 'tenancy')
   AND relname NOT IN ('audit_checkpoint', 'audit_tree_node', 'audit_tamper_quarantine')
)sql";

e2e::Deployment::Options durable() {
  e2e::Deployment::Options options;
  options.durable = true;
  return options;
}

std::string read_source(const std::string& name) {
  std::ifstream in(std::string(PLEXSPHERE_ENROL_BENCH) + "/" + name);
  std::stringstream text;
  text << in.rdbuf();
  if (text.str().empty()) {
    throw std::runtime_error(name + " of the enrolment benchmark is missing");
  }
  return text.str();
}

// The script, perhaps without its last step.
std::string registration_sql(bool audited) {
  std::string script = read_source("registration.sql");
  if (!audited) {
    const auto begin = script.find("-- audit: append");
    const auto end = script.find("COMMIT;", begin);
    if (end == std::string::npos) {
      throw std::runtime_error("registration.sql appends its audit rows elsewhere than was known");
    }
    script.erase(begin, end - begin);
  }
  return script;
}

// work(i) for every i below `count`, by kEnrolClients threads. Throws what one of them threw.
void with_clients(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failed;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kEnrolClients; ++i) {
      clients.emplace_back([&] {
        try {
          for (std::size_t n = next++; n < count; n = next++) {
            work(n);
          }
        } catch (...) {
          const std::lock_guard lock(mutex);
          failed = std::current_exception();
          next = count;
        }
      });
    }
  }
  if (failed) {
    std::rethrow_exception(failed);
  }
}

std::string as_request(const sim::Enrolment& wanted) {
  const std::string body = json{{"project_id", wanted.project_id},
                                {"resource_handle", wanted.resource_handle},
                                {"bootstrap_token", wanted.bootstrap_token},
                                {"nonce", wanted.nonce},
                                {"public_key", sim::make_mesh_key().public_key}}
                               .dump();
  return "POST /v1/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// From pgbench's log of all transactions: "client transaction latency_us script second
// microsecond".
double rate_of(const std::string& log) {
  std::vector<double> ends;
  double warm = 0;  // when the last client was
  std::istringstream lines(log);
  double client = 0;
  double number = 0;
  double latency = 0;
  double script = 0;
  double second = 0;
  double microsecond = 0;
  while (lines >> client >> number >> latency >> script >> second >> microsecond) {
    ends.push_back(second + microsecond / 1e6);
    warm = number <= kWarmUp ? std::max(warm, ends.back()) : warm;
  }
  const double last = ends.empty() ? 0 : *std::ranges::max_element(ends);
  const auto counted = std::ranges::count_if(ends, [warm](double end) { return end > warm; });
  if (counted == 0) {
    throw std::runtime_error("pgbench logged no transaction after its warm-up");
  }
  return static_cast<double>(counted) / (last - warm);
}

void exchange(std::uint16_t port, const std::string& request) {
  ClientSocket socket({.port = port});
  if (!socket.send(request)) {
    throw std::runtime_error("a registration was not sent");
  }
  std::string answer;
  std::array<char, 65536> chunk;
  while (answer_size(answer) == 0) {
    pollfd waiting{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) {
      throw std::runtime_error("a registration has no answer");
    }
    const int got = socket.receive(chunk);
    if (got == 0) {
      throw std::runtime_error("a registration was cut off after: " + answer);
    }
    answer.append(chunk.data(), static_cast<std::size_t>(std::max(got, 0)));
  }
  if (!answer.starts_with("HTTP/1.1 201")) {
    throw std::runtime_error("a registration was answered " + answer);
  }
}

}  // namespace

EnrolSite::EnrolSite() : deployment_(durable()) {
  url_ = deployment_.start_core().url();
  cheap_url_ = deployment_.start_core(kMinimumCost).url();
}

sim::Operator EnrolSite::issuer(TokenCost cost) const {
  return {cost == TokenCost::kConfigured ? url_ : cheap_url_, deployment_.operator_token()};
}

// A /18 that no other Domain has.
std::string EnrolSite::next_cidr() {
  const int number = domains_++;
  return "10." + std::to_string(number / 4) + "." + std::to_string(number % 4 * 64) + ".0/18";
}

Batch EnrolSite::prepare(int domains, int count, TokenCost cost) {
  const sim::Operator op = issuer(cost);
  const auto make = [&](const std::string& project, const std::string& handle) {
    op.create_resource(project, handle);
    return sim::Enrolment{project, handle, op.issue_token(project, "node", 86400),
                          sim::make_nonce()};
  };
  Batch batch;
  for (int i = 0; i < domains; ++i) {
    const std::string slug = "bench-" + std::to_string(domains_);
    batch.projects.push_back(op.create_project(op.create_domain(slug, next_cidr()), slug));
    (void)sim::Node::enrol(url_, make(batch.projects.back(), "first"));
  }
  batch.requests.resize(static_cast<std::size_t>(count));
  with_clients(batch.requests.size(), [&](std::size_t i) {
    batch.requests[i] =
        as_request(make(batch.projects[i % batch.projects.size()], "host-" + std::to_string(i)));
  });
  return batch;
}

Rate EnrolSite::register_all(const Batch& batch) const {
  const auto port = static_cast<std::uint16_t>(std::stoi(url_.substr(url_.rfind(':') + 1)));
  std::mutex mutex;
  Histogram latencies;
  const auto start = Clock::now();
  with_clients(batch.requests.size(), [&](std::size_t i) {
    const auto sent = Clock::now();
    exchange(port, batch.requests[i]);
    const auto took = Clock::now() - sent;
    const std::lock_guard lock(mutex);
    latencies.add(took);
  });
  const std::chrono::duration<double> took = Clock::now() - start;
  return {static_cast<double>(batch.requests.size()) / took.count(),
          latencies.quantile_us(0.99) / 1000};
}

double EnrolSite::run_as_sql(const Batch& batch, const SqlRun& how) {
  auto& postgres = deployment_.postgres();
  std::string projects;
  for (const std::string& project : batch.projects) {
    projects += (projects.empty() ? "" : ",") + project;
  }
  (void)postgres.query("SET bench.projects = '{" + projects + "}';" + read_source("work.sql"),
                       "plexsphere");
  const std::string clients = std::to_string(how.clients);
  const test_support::TempDir files;
  const std::string script = files.path() / "registration.sql";
  std::ofstream(script) << registration_sql(how.audited);
  const auto done = test_support::run(
      test_support::detail::postgres_programs() / "pgbench",
      {"-n", "-M", "prepared", "-f", script, "-c", clients, "-j", "2", "-t",
       std::to_string(batch.requests.size() / static_cast<std::size_t>(how.clients)), "-D", "i=-1",
       "-D", "clients=" + clients, "-l", "--log-prefix", (files.path() / "log").string(),
       postgres.dsn("plexsphere")},
      {}, 5min);
  if (done.code != 0) {
    throw std::runtime_error("pgbench: " + done.out + done.err);
  }
  std::string log;
  for (const auto& entry : std::filesystem::directory_iterator(files.path())) {
    log += entry.path() == script ? "" : test_support::read_file(entry.path());
  }
  return rate_of(log);
}

std::map<std::string, std::int64_t> EnrolSite::rows() {
  std::map<std::string, std::int64_t> out;
  std::istringstream lines(deployment_.postgres().query(kCountRows, "plexsphere"));
  std::int64_t count = 0;
  for (std::string table; lines >> table >> count;) {
    out[table] = count;
  }
  return out;
}

}  // namespace plexsphere::bench
