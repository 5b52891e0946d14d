#include "app/health_view.hpp"

#include <algorithm>

namespace plexsphere::meta {

HealthReport HealthView::current() {
  const std::lock_guard lock(mutex_);
  if (!last_ || clock_() >= expires_) {
    last_ = probe_();
    std::ranges::sort(last_->checks, {}, &DependencyHealth::name);
    expires_ = clock_() + kLifetime;
  }
  return *last_;
}

}  // namespace plexsphere::meta
