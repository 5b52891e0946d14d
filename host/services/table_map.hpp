// One C table for each plugin, made when it is first asked for, kept for the life of the process.
#pragma once

#include <map>
#include <memory>

#include "host/services/provider.hpp"

namespace plexsphere::host {

// Table is constructible from the arguments given to `get` and has a member `wire` that begins
// with px_table. Main thread only.
template <typename Table>
class TableMap {
 public:
  template <typename... Args>
  Table& get(const PluginContext& plugin, Args&&... args) {
    auto& slot = tables_[&plugin];
    if (!slot) {
      slot = std::make_unique<Table>(std::forward<Args>(args)...);
    }
    return *slot;
  }

  Table* find(const PluginContext& plugin) {
    const auto found = tables_.find(&plugin);
    return found == tables_.end() ? nullptr : found->second.get();
  }

 private:
  std::map<const PluginContext*, std::unique_ptr<Table>> tables_;
};

template <typename Wire>
const px_table* as_table(const Wire& wire) {
  return &wire.base;
}

}  // namespace plexsphere::host
