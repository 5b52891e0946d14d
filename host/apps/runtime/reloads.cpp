#include "host/apps/runtime/reloads.hpp"

#include <utility>

namespace plexsphere::host::apps {

void Reloads::ask() {
  const std::lock_guard lock(mutex_);
  if (action_) {
    action_();
  } else {
    asked_ = true;
  }
}

void Reloads::set(std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  action_ = std::move(action);
  if (std::exchange(asked_, false)) {
    action_();
  }
}

void Reloads::clear() {
  const std::lock_guard lock(mutex_);
  action_ = nullptr;
}

}  // namespace plexsphere::host::apps
