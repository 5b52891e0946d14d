#include "host/services/clock.hpp"

#include "host/services/table_map.hpp"
#include "plexsphere/abi/clock.h"

namespace plexsphere::host::services {
namespace {

using namespace std::chrono;  // NOLINT: this file is about nothing else

std::int64_t utc_us(void*) noexcept {
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t steady_ns(void*) noexcept {
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

class ClockService final : public ServiceProvider {
 public:
  std::string_view name() const noexcept override { return "px.clock/1"; }
  const px_table* table_for(const PluginContext&) override { return as_table(wire_); }

 private:
  const px_clock wire_{{sizeof(px_clock), 1, nullptr}, &utc_us, &steady_ns};
};

}  // namespace

std::unique_ptr<ServiceProvider> make_clock_service() {
  return std::make_unique<ClockService>();
}

}  // namespace plexsphere::host::services
