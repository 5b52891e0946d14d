// One line of JSON for each figure of a benchmark, always beside the machine's own limit.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace plexsphere::bench {

// Rates in the same unit, measured in the same run. `floor` is the least acceptable ours / limit.
struct Figure {
  std::string name;
  double ours;
  double limit;
  double floor;
  double p99_ms = 0;  // printed beside it, where there is one

  double ratio() const { return ours / limit; }
};

// Prints the figure and tells whether it holds.
inline bool report(const Figure& f) {
  std::printf(R"({"name":"%s","ours":%.1f,"limit":%.1f,"ratio":%.3f,"floor":%.3f)", f.name.c_str(),
              f.ours, f.limit, f.ratio(), f.floor);
  if (f.p99_ms > 0) {
    std::printf(R"(,"p99_ms":%.1f)", f.p99_ms);
  }
  std::printf("}\n");
  std::fflush(stdout);
  return f.ratio() >= f.floor;
}

// The same where less is better (latencies, bytes): `ceiling` is the greatest acceptable
// ours / limit.
struct Cost {
  std::string name;
  double ours;
  double limit;
  double ceiling;

  double ratio() const { return ours / limit; }
};

inline bool report_cost(const Cost& c) {
  std::printf(R"({"name":"%s","ours":%.1f,"limit":%.1f,"ratio":%.3f,"ceiling":%.3f})"
              "\n",
              c.name.c_str(), c.ours, c.limit, c.ratio(), c.ceiling);
  std::fflush(stdout);
  return c.ratio() <= c.ceiling;
}

// The middle value; requires at least one.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace plexsphere::bench
