// A second encoder of canonical bytes, written from the page and sharing nothing with the first:
// a JSON library's own dump, the C library's calendar, sorting by hand. Where the two differ about
// any record, one of them does not do what docs/contexts/audit/index.md says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "domain/record.hpp"
#include "random_records.hpp"

namespace plexsphere::audit {
namespace {

using Json = nlohmann::ordered_json;

std::string calendar(std::chrono::sys_time<std::chrono::microseconds> at) {
  const std::int64_t us = at.time_since_epoch().count();
  const std::int64_t fraction = ((us % 1'000'000) + 1'000'000) % 1'000'000;
  const std::time_t seconds = static_cast<std::time_t>((us - fraction) / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  char out[64];
  std::snprintf(out, sizeof out, "%.*s.%06dZ", static_cast<int>(size), text,
                static_cast<int>(fraction));
  return out;
}

std::string second_encoding(const Record& record, std::int64_t seq) {
  std::vector<std::pair<std::string, std::vector<std::string>>> caveats;
  for (const auto& [name, parameters] : record.caveat_context) {
    caveats.emplace_back(name, std::vector<std::string>(parameters.rbegin(), parameters.rend()));
  }
  std::reverse(caveats.begin(), caveats.end());
  const auto by_bytes = [](const std::string& a, const std::string& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
    });
  };
  std::sort(caveats.begin(), caveats.end(),
            [&](const auto& a, const auto& b) { return by_bytes(a.first, b.first); });
  Json context = Json::object();
  for (auto& [name, parameters] : caveats) {
    std::sort(parameters.begin(), parameters.end(), by_bytes);
    context[name] = parameters;
  }
  Json out;
  out["v"] = 1;
  out["chain"] = record.chain;
  out["seq"] = seq;
  out["occurred_at"] = calendar(record.occurred_at);
  out["reason"] = record.reason;
  out["relation"] = record.relation;
  out["object_type"] = record.object_type;
  out["object_id"] = record.object_id;
  out["subject_pseudonym"] = record.subject_pseudonym;
  out["correlation_id"] = record.correlation_id;
  out["relation_path"] = record.relation_path;
  out["caveat_context"] = context;
  out["request_context_hash"] =
      record.request_context_hash ? Json(*record.request_context_hash) : Json(nullptr);
  return out.dump();
}

TEST_CASE("two encoders that know only the page agree on every record", "[audit]") {
  test::Records records(20'261'128);
  for (int i = 0; i < 3'000; ++i) {
    const Record record = records.next();
    const std::int64_t seq = 1 + records.below(1'000'000);
    const Canonical canonical = encode(record);
    REQUIRE(canonical.head + std::to_string(seq) + canonical.tail == second_encoding(record, seq));
  }
}

}  // namespace
}  // namespace plexsphere::audit
