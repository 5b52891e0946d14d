#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>

#include "bench/audit/parts.hpp"
#include "bench/support/report.hpp"
#include "domain/chain_walk.hpp"
#include "live_audit.hpp"

namespace plexsphere::bench {
namespace {

using namespace std::chrono_literals;
using audit::test::ChainDatabase;
using audit::test::LiveAudit;
using Clock = std::chrono::steady_clock;

constexpr int kRowsOfStatement = 256;
constexpr double kFloorOfHashing = 0.25;
constexpr double kCeilingOfMemory = 1.25;

// Bytes of this process that are resident.
double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

class Chain {
 public:
  Chain(ChainDatabase& database, std::int64_t size) : database_(database), size_(size) {
    const audit::Row row = audit::test::row_of(id_, "project.read");
    std::string call = audit::test::append_call({row});
    call.erase(0, call.find("audit.port_append"));
    // The row of the call, as often as a statement takes it.
    const std::string many =
        std::regex_replace(call, std::regex(R"(ARRAY\[([^\]]*)\]::(\w+)\[\])"),
                           "array_fill($1::$2, ARRAY[" + std::to_string(kRowsOfStatement) + "])");
    const auto append = [&](const std::string& one, std::int64_t times) {
      (void)database_.query("SELECT sum(" + one + ") FROM generate_series(1, " +
                            std::to_string(times) + ")");
    };
    // Not all in one statement: psql is not waited for without end.
    constexpr std::int64_t kAtOnce = 200;
    std::int64_t calls = size / kRowsOfStatement;
    for (; calls > 0; calls -= kAtOnce) {
      append(many, std::min(calls, kAtOnce));
    }
    append(call, size % kRowsOfStatement);
  }

  // As an auditor asks for it.
  double verified_per_second(LiveAudit& live) const {
    live.add_domain(id_);
    const auto start = Clock::now();
    const auto reply = live.call("POST /v1/domains/{domain_id}/audit/verify",
                                 {{"domain_id", id_.text()}}, {}, "", 10min);
    const double took = seconds_since(start);
    const auto verdict = nlohmann::json::parse(reply.body, nullptr, false);
    if (reply.status != 200 || !verdict.value("ok", false) ||
        verdict.value("segment_to", std::int64_t{0}) != size_) {
      throw std::runtime_error("a chain that nobody touched does not verify: " + reply.body);
    }
    return static_cast<double>(size_) / took;
  }

  std::string last_bytes() const {
    return database_.query(
        "SELECT convert_from(canonical_bytes, 'UTF8') FROM audit.audit_log_entry "
        "WHERE domain_id = '" +
        id_.text() + "' AND seq = " + std::to_string(size_));
  }
  double hashed_per_second() const { return bench::hashed_per_second(last_bytes(), size_); }

 private:
  ChainDatabase& database_;
  const std::int64_t size_;
  const sdk::Uuid id_ = sdk::Uuid::v7(7);
};

}  // namespace

double hashed_per_second(const std::string& canonical, std::int64_t entries) {
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> digest(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  unsigned char chained[2 * audit::kHashSize] = {};  // hash of the entry before, hash of the bytes
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < entries; ++i) {
    EVP_DigestInit_ex2(context.get(), digest.get(), nullptr);
    EVP_DigestUpdate(context.get(), canonical.data(), canonical.size());
    EVP_DigestFinal_ex(context.get(), chained + audit::kHashSize, nullptr);
    EVP_DigestInit_ex2(context.get(), digest.get(), nullptr);
    EVP_DigestUpdate(context.get(), chained, sizeof chained);
    EVP_DigestFinal_ex(context.get(), chained, nullptr);
  }
  return static_cast<double>(entries) / seconds_since(start);
}

bool verification(const Plan& plan, ChainDatabase& database) {
  LiveAudit live(database, 4, "verify_interval = \"24h\"\nverify_rate = 100\n");
  const Chain small(database, plan.short_chain);
  (void)small.verified_per_second(live);
  const double after_small = resident_bytes();
  const Chain large(database, plan.long_chain);
  (void)database.query("VACUUM ANALYZE audit.audit_log_entry");
  const double before = resident_bytes();
  std::vector<double> verified;
  std::vector<double> hashed;
  for (int round = 0; round < plan.rounds; ++round) {
    verified.push_back(large.verified_per_second(live));
    hashed.push_back(large.hashed_per_second());
  }
  const double grown = resident_bytes() - before;
  const bool fast = report({"audit_verify", median(verified), median(hashed), kFloorOfHashing});
  const bool flat = report_cost(
      {"audit_verify_memory", after_small + std::max(grown, 0.0), after_small, kCeilingOfMemory});
  return fast && flat;
}

}  // namespace plexsphere::bench
