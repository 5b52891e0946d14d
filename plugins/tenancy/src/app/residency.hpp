// Which Domain owns a Domain, Project or Resource: where decisions about it are audited.
//
// Each is asked at every gate, and the answer never changes, so answers are remembered; what does
// not exist is not. Any thread; blocks on the database when it does not know.
#pragma once

#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/services.hpp"

namespace plexsphere::tenancy {

class Residency {
 public:
  // [init] `services` must outlive this.
  explicit Residency(Services& services) : services_(services) {}

  // None, or the one Domain.
  sdk::Result<std::vector<sdk::Uuid>> of_domain(std::string_view id);
  sdk::Result<std::vector<sdk::Uuid>> of_project(std::string_view id);
  sdk::Result<std::vector<sdk::Uuid>> of_resource(std::string_view id);

 private:
  static constexpr std::size_t kMostRemembered = 65'536;  // then it forgets them all

  using Look = std::function<sdk::Result<sdk::Uuid>(const sdk::Uuid&)>;
  sdk::Result<std::vector<sdk::Uuid>> find(std::string_view id, const Look& look);

  Services& services_;
  std::mutex mutex_;  // guards known_
  std::unordered_map<sdk::Uuid, sdk::Uuid> known_;
};

}  // namespace plexsphere::tenancy
