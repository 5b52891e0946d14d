#include "sim/operation_log.hpp"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

namespace plexsphere::sim {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kMostTold = 5;  // of an operation

double milliseconds(double microseconds) {
  return std::round(microseconds / 10) / 100;
}

}  // namespace

bool OperationLog::run(const std::string& name, const std::function<void()>& operation) {
  const auto start = Clock::now();
  try {
    operation();
  } catch (const std::exception& error) {
    fail(name, error.what());
    return false;
  }
  const auto took = Clock::now() - start;
  const std::lock_guard lock(mutex_);
  operations_[name].latencies.add(took);
  return true;
}

void OperationLog::fail(const std::string& name, const std::string& why) {
  const std::lock_guard lock(mutex_);
  ++failed_;
  if (++operations_[name].failed <= kMostTold) {
    std::cerr << "plexd-sim: " << name << ": " << why << std::endl;
  }
}

void OperationLog::come_back(const std::string& name) {
  const std::lock_guard lock(mutex_);
  ++operations_[name].come_back;
}

std::uint64_t OperationLog::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

nlohmann::json OperationLog::summary() const {
  const std::lock_guard lock(mutex_);
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [name, operation] : operations_) {
    out[name] = {{"count", operation.latencies.total()},
                 {"failed", operation.failed},
                 {"come_back", operation.come_back},
                 {"p50_ms", milliseconds(operation.latencies.quantile_us(0.50))},
                 {"p99_ms", milliseconds(operation.latencies.quantile_us(0.99))}};
  }
  return out;
}

}  // namespace plexsphere::sim
