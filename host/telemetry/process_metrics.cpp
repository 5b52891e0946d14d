#include "host/telemetry/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace plexsphere::host::telemetry {
namespace {

using Families = std::vector<prometheus::MetricFamily>;

void add(Families& out, const char* name, const char* help, prometheus::MetricType type,
         double value) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(metric);
  out.push_back(std::move(family));
}

// Fields of proc(5) /proc/self/stat after the command name, which may itself hold spaces.
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto end_of_name = text.rfind(')');
  std::vector<std::string> fields;
  if (end_of_name != std::string::npos) {
    std::istringstream rest(text.substr(end_of_name + 1));
    for (std::string field; rest >> field;) {
      fields.push_back(field);
    }
  }
  return fields;
}

double boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    if (word == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
  }
  return 0;
}

void add_from_stat(Families& out) {
  const auto fields = stat_fields();
  constexpr std::size_t kState = 3;  // number of the first field after the name, in proc(5)
  const auto field = [&](std::size_t number) { return std::stod(fields[number - kState]); };
  if (fields.size() < 24 - kState + 1) {
    return;
  }
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  add(out, "process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
      prometheus::MetricType::Counter, (field(14) + field(15)) / ticks);
  add(out, "process_threads", "Threads of the process.", prometheus::MetricType::Gauge, field(20));
  add(out, "process_start_time_seconds", "Start of the process, seconds since 1970.",
      prometheus::MetricType::Gauge, boot_time_seconds() + field(22) / ticks);
  add(out, "process_virtual_memory_bytes", "Virtual memory size, in bytes.",
      prometheus::MetricType::Gauge, field(23));
  add(out, "process_resident_memory_bytes", "Resident memory size, in bytes.",
      prometheus::MetricType::Gauge, field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

void add_descriptors(Families& out) {
  std::error_code error;
  std::size_t open = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++open;
  }
  if (!error) {
    add(out, "process_open_fds", "Open file descriptors.", prometheus::MetricType::Gauge,
        static_cast<double>(open));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add(out, "process_max_fds", "Most file descriptors the process may have open.",
        prometheus::MetricType::Gauge, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> collect_process_metrics() {
  Families out;
  add_from_stat(out);
  add_descriptors(out);
  return out;
}

}  // namespace plexsphere::host::telemetry
