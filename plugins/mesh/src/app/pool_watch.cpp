#include "app/pool_watch.hpp"

namespace plexsphere::mesh {
namespace {

constexpr auto kPastName = "plexsphere_mesh_pools_past_threshold";
constexpr auto kPastHelp = "Address pools with at least this share of their addresses in use";

// Makes gauges and remembers the first refusal.
class GaugeMaker {
 public:
  explicit GaugeMaker(const sdk::Metrics& metrics) : metrics_(metrics) {}

  void make(sdk::Metric& out, std::string_view name, std::string_view help,
            std::initializer_list<sdk::Field> labels) {
    auto made = metrics_.gauge(name, help, labels);
    if (made.ok()) {
      out = *made;
    } else if (status_.ok()) {
      status_ = made.error();
    }
  }
  sdk::Status status() && { return std::move(status_); }

 private:
  const sdk::Metrics& metrics_;
  sdk::Status status_;
};

std::string whole(double number) {
  auto text = std::to_string(number);
  return text.substr(0, text.find('.'));
}

}  // namespace

sdk::Status PoolWatch::declare(const sdk::Store& store, const sdk::Metrics& metrics) {
  if (auto declared = pools_.declare(store); !declared.ok()) {
    return declared;
  }
  GaugeMaker gauges(metrics);
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const std::string rank = std::to_string(i + 1);
    gauges.make(ranks_[i].ratio, "plexsphere_mesh_pool_used_ratio",
                "Share of addresses in use, of the fullest pools; rank 1 is the fullest",
                {{"rank", rank}});
    gauges.make(ranks_[i].used, "plexsphere_mesh_pool_used_addresses",
                "Addresses in use, of the fullest pools", {{"rank", rank}});
    gauges.make(ranks_[i].capacity, "plexsphere_mesh_pool_capacity_addresses",
                "Addresses that can be in use, of the fullest pools", {{"rank", rank}});
  }
  gauges.make(all_, "plexsphere_mesh_pools", "Address pools that can give out addresses", {});
  gauges.make(past_80_, kPastName, kPastHelp, {{"percent", "80"}});
  gauges.make(past_95_, kPastName, kPastHelp, {{"percent", "95"}});
  return std::move(gauges).status();
}

sdk::Status PoolWatch::run(const sdk::JobRun& job) {
  const auto tx = job.begin();
  return tx.ok() ? look(*tx) : tx.error();
}

sdk::Status PoolWatch::look(const sdk::Transaction& tx) {
  const auto summary = pools_.summary(tx, kMostPools);
  if (!summary.ok()) {
    return summary.error();
  }
  show(*summary);
  tell(*summary);
  return {};
}

void PoolWatch::show(const PoolSummary& summary) const {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const PoolUsage pool = i < summary.fullest.size() ? summary.fullest[i] : PoolUsage{};
    ranks_[i].used.set(static_cast<double>(pool.used));
    ranks_[i].capacity.set(pool.capacity);
    ranks_[i].ratio.set(pool.capacity > 0 ? static_cast<double>(pool.used) / pool.capacity : 0);
  }
  all_.set(static_cast<double>(summary.pools));
  past_80_.set(static_cast<double>(summary.past_80));
  past_95_.set(static_cast<double>(summary.past_95));
}

void PoolWatch::tell(const PoolSummary& summary) {
  Alarms standing;
  for (const PoolUsage& pool : summary.fullest) {
    if (pool.alarm_percent == 0) {
      continue;
    }
    const std::pair key(pool.domain_id, pool.pool);
    standing[key] = pool.alarm_percent;
    const auto before = told_.find(key);
    if (before != told_.end() && before->second >= pool.alarm_percent) {
      continue;
    }
    log_.warn("address_pool_filling",
              {{"domain_id", pool.domain_id.text()},
               {"pool", pool.pool},
               {"percent", std::to_string(pool.alarm_percent)},
               {"used", std::to_string(pool.used)},
               {"capacity", whole(pool.capacity)},
               {"cause", "Nodes hold nearly all addresses of this pool."},
               {"remedy",
                "Deregister Nodes that are gone, or register new ones in a Project or Domain with "
                "a larger range; a full pool answers registrations with 503."}});
  }
  for (const auto& [key, percent] : told_) {
    if (!standing.contains(key)) {
      log_.info("address_pool_eased", {{"domain_id", key.first.text()}, {"pool", key.second}});
    }
  }
  told_ = std::move(standing);
}

}  // namespace plexsphere::mesh
