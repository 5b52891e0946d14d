#include "host/apps/runtime/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "host/base/file.hpp"

namespace plexsphere::host::apps {

Result<std::size_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return {Code::kInternal, "the limit of open files cannot be read: " + error_text(errno)};
  }
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      limit = raised;
    }
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t connections_within(std::size_t limit) {
  const std::size_t half = limit / 2;
  const std::size_t rest = limit > kReservedDescriptors ? limit - kReservedDescriptors : 0;
  return std::max({half, rest, std::size_t{1}});
}

}  // namespace plexsphere::host::apps
