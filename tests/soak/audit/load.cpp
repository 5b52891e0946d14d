#include "soak/audit/load.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "support/http_client.hpp"

namespace plexsphere::soak {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto kPatience = 40s;            // longer than a core takes to give up a request
constexpr auto kBetweenSteps = 5ms;        // so that a run makes no more entries than it can check
constexpr auto kAfterFailure = 30ms;       // nobody there, or not now
constexpr std::uint64_t kDomainEach = 61;  // steps: each Domain is a further chain

// What a control plane says that has lost its database for the moment.
bool is_outage(int status) {
  return status == 503 || status == 504;
}

std::string entries_of(const std::string& chain) {
  return chain == kPlatformChain ? "/v1/platform/audit/entries"
                                 : "/v1/domains/" + chain + "/audit/entries";
}

}  // namespace

Load::Load(const AuditSite& site, Ledger& ledger, int clients) : site_(&site), ledger_(&ledger) {
  for (int i = 0; i < clients; ++i) {
    threads_.emplace_back([this, i] { run({i}); });
  }
}

Load::~Load() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) {
    thread.join();
  }
}

void Load::resume() {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  changed_.notify_all();
}

void Load::pause() {
  std::unique_lock lock(mutex_);
  running_ = false;
  changed_.wait(lock, [this] { return busy_ == 0; });
  if (!fault_.empty()) {
    throw std::runtime_error(fault_);
  }
}

bool Load::may_go_on() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_ || over_; });
  busy_ += over_ ? 0 : 1;
  return !over_;
}

void Load::run(Client client) {
  while (may_go_on()) {
    std::string fault;
    try {
      step(client);
    } catch (const std::exception& error) {
      fault = error.what();
    }
    {
      const std::lock_guard lock(mutex_);
      --busy_;
      fault_ = fault_.empty() ? fault : fault_;
    }
    changed_.notify_all();
    std::this_thread::sleep_for(kBetweenSteps);
  }
}

void Load::step(Client& client) {
  const std::size_t replica =
      (static_cast<std::size_t>(client.number) + client.steps) % AuditSite::kReplicas;
  const Attempt attempt = act(client, replica);
  ++client.steps;
  ledger_->note(attempt);
  if (!attempt.acknowledged()) {
    std::this_thread::sleep_for(kAfterFailure);
    return;
  }
  read_back(attempt, attempt.chain, attempt.entries(), replica);
  if (attempt.kind == Kind::kDomain) {
    read_back(attempt, attempt.object, 1, replica);
  }
}

Attempt Load::act(Client& client, std::size_t replica) const {
  const std::size_t which =
      (static_cast<std::size_t>(client.number) + client.steps / 4) % site_->domains().size();
  const std::string& domain = site_->domains()[which];
  const std::string number = std::to_string(++numbers_);
  const std::string name = "n-" + number;
  Attempt attempt;
  attempt.chain = domain;
  if (client.steps % kDomainEach == 0) {
    attempt.kind = Kind::kDomain;
    attempt.chain = kPlatformChain;
    const auto block = std::stoull(number) % 65'536;
    const std::string cidr =
        "10." + std::to_string(block / 256) + "." + std::to_string(block % 256) + ".0/24";
    send(attempt, replica, "POST", "/v1/domains",
         json{{"name", name}, {"slug", name}, {"mesh_cidr", cidr}}.dump());
  } else if (client.steps % 4 == 1) {
    attempt.kind = Kind::kProject;
    send(attempt, replica, "POST", "/v1/projects",
         json{{"domain_id", domain}, {"name", name}, {"slug", name}}.dump());
  } else if (client.steps % 8 == 2) {
    attempt.kind = Kind::kToken;
    send(attempt, replica, "POST", "/v1/projects/" + site_->projects()[which] + "/bootstrap-tokens",
         json{{"kind", "node"}, {"env_prefix", "dev"}, {"ttl_seconds", 900}}.dump());
  } else {
    attempt.kind = client.steps % 2 == 0 ? Kind::kGranted : Kind::kDenied;
    send(attempt, replica, "GET", "/v1/domains/" + domain);
  }
  return attempt;
}

std::string Load::send(Attempt& attempt, std::size_t replica, const std::string& method,
                       const std::string& path, const std::string& body) const {
  attempt.correlation = "soak-" + std::to_string(++numbers_);
  const bool stranger = attempt.kind == Kind::kDenied;
  test_support::HttpHeaders headers{
      {"Authorization", "Bearer " + (stranger ? site_->stranger_token() : site_->operator_token())},
      {"X-Correlation-Id", attempt.correlation}};
  if (!body.empty()) {
    headers["Content-Type"] = "application/json";
  }
  test_support::HttpResponse answer;
  try {
    answer = test_support::HttpClient(kPatience).request(method, site_->url(replica) + path,
                                                         headers, body);
  } catch (const std::exception&) {
    return {};  // nobody there, or cut off: what this is about
  }
  attempt.status = answer.status;
  if (!attempt.acknowledged() && !is_outage(answer.status)) {
    throw std::runtime_error(method + " " + path + " (" + attempt.correlation + ") answered " +
                             std::to_string(answer.status) + " " + answer.body);
  }
  if (answer.status == 201) {
    attempt.object = json::parse(answer.body).at(attempt.kind == Kind::kToken ? "token_id" : "id");
  }
  return answer.status == 200 ? answer.body : std::string();
}

void Load::read_back(const Attempt& attempt, const std::string& chain, std::size_t expected,
                     std::size_t replica) {
  Attempt reading;
  reading.kind = Kind::kReadBack;
  reading.chain = chain;
  const std::string body =
      send(reading, replica, "GET",
           entries_of(chain) + "?limit=50&correlation_id=" + attempt.correlation);
  ledger_->note(reading);
  if (!reading.acknowledged()) {
    return;
  }
  Ledger::Seen seen{attempt.correlation, chain, {}};
  const json listed = json::parse(body);
  for (const json& item : listed.at("items")) {
    seen.places.push_back({item.at("domain_id"), item.at("seq"), item.at("entry_hash")});
  }
  if (seen.places.size() < expected) {
    throw std::runtime_error("of " + attempt.correlation + ", answered with " +
                             std::to_string(attempt.status) + ", the chain " + chain + " shows " +
                             std::to_string(seen.places.size()) + " entries, not " +
                             std::to_string(expected));
  }
  ledger_->note(std::move(seen));
}

}  // namespace plexsphere::soak
