// Records that are mostly the awkward: controls, quotes, several scripts, empty and repeated parts.
// The same for the same seed.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "domain/record.hpp"

namespace plexsphere::audit::test {

class Records {
 public:
  explicit Records(unsigned seed) : random_(seed) {}

  Record next() {
    Record record;
    record.chain = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
    // From 1901 to 2099: before the epoch too, where fractions count backwards.
    record.occurred_at = std::chrono::sys_time<std::chrono::microseconds>(
        std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(
            -2'177'452'800'000'000, 4'102'444'799'999'999)(random_)));
    record.reason = text();
    record.relation = text();
    record.object_type = text();
    record.object_id = text();
    record.subject_pseudonym = text();
    record.correlation_id = text();
    for (int i = below(4); i > 0; --i) {
      record.relation_path.push_back(text());
    }
    for (int i = below(4); i > 0; --i) {
      auto& parameters = record.caveat_context[text()];
      for (int k = below(4); k > 0; --k) {
        parameters.insert(text());
      }
    }
    if (below(2) == 0) {
      record.request_context_hash = text();
    }
    return record;
  }

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

 private:
  std::string text() {
    static const std::vector<std::string> kStrange = {"\"", "\\", "/",      "\x7f", "é",
                                                      "€",  "😀",  "\u2028", "<",    "'"};
    std::string out;
    for (int i = below(12); i > 0; --i) {
      const int kind = below(3);
      if (kind == 0) {
        out += static_cast<char>(1 + below(0x1f));
      } else if (kind == 1) {
        out += kStrange[static_cast<std::size_t>(below(static_cast<int>(kStrange.size())))];
      } else {
        out += static_cast<char>(0x20 + below(0x5f));
      }
    }
    return out;
  }

  std::mt19937 random_;
};

}  // namespace plexsphere::audit::test
