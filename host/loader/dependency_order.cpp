#include "host/loader/dependency_order.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace plexsphere::host::loader {
namespace {

using config::Manifest;
using Manifests = std::vector<const Manifest*>;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Sorter {
 public:
  Sorter(const Manifests& enabled, const Manifests& installed,
         const std::vector<std::string>& host_services)
      : installed_(installed), host_services_(host_services) {
    for (const Manifest* manifest : enabled) {
      left_.emplace(manifest->id, manifest);
    }
  }

  Order run() {
    find_providers();
    find_missing();
    if (order_.errors.empty()) {
      sort();
    }
    return std::move(order_);
  }

 private:
  void find_providers() {
    for (const auto& [id, manifest] : left_) {
      for (const auto& port : manifest->provided_ports) {
        const auto [taken, fresh] = providers_.emplace(port, manifest);
        if (!fresh) {
          order_.errors.push_back("port '" + port + "' is provided by both '" + taken->second->id +
                                  "' and '" + id + "': enable only one of them");
        }
      }
    }
  }

  void find_missing() {
    for (const auto& [id, manifest] : left_) {
      for (const auto& port : manifest->required_ports) {
        if (providers_.count(port) == 0 && !contains(host_services_, port)) {
          order_.errors.push_back("plugin '" + id + "' requires port '" + port + "', " +
                                  remedy(port, id));
        }
      }
    }
  }

  std::string remedy(const std::string& port, const std::string& id) const {
    for (const Manifest* manifest : installed_) {
      if (contains(manifest->provided_ports, port)) {
        return "which '" + manifest->id + "' provides: set enabled = true under [context." +
               manifest->id + "], or disable '" + id + "'";
      }
    }
    return "which no installed plugin provides: install one that does, or disable '" + id + "'";
  }

  bool waits(const Manifest& manifest, const std::vector<std::string>& ports) const {
    return std::any_of(ports.begin(), ports.end(), [&](const std::string& port) {
      const auto provider = providers_.find(port);
      return provider != providers_.end() && provider->second != &manifest &&
             left_.count(provider->second->id) != 0;
    });
  }

  // Of those that may go next, the first by name, so that the order is the same on every replica.
  void sort() {
    while (!left_.empty()) {
      auto next = std::find_if(left_.begin(), left_.end(), [this](const auto& entry) {
        return !waits(*entry.second, entry.second->required_ports) &&
               !waits(*entry.second, entry.second->wanted_ports);
      });
      if (next == left_.end()) {
        next = std::find_if(left_.begin(), left_.end(), [this](const auto& entry) {
          return !waits(*entry.second, entry.second->required_ports);
        });
      }
      if (next == left_.end()) {
        report_cycle();
        return;
      }
      order_.sequence.push_back(next->second);
      left_.erase(next);
    }
  }

  // Follows requirements from any plugin that is left until one repeats.
  void report_cycle() {
    std::vector<std::string> path;
    const Manifest* at = left_.begin()->second;
    while (!contains(path, at->id)) {
      path.push_back(at->id);
      for (const auto& port : at->required_ports) {
        const auto provider = providers_.find(port);
        if (provider != providers_.end() && left_.count(provider->second->id) != 0) {
          at = provider->second;
          break;
        }
      }
    }
    path.erase(path.begin(), std::find(path.begin(), path.end(), at->id));
    std::string text;
    for (const auto& id : path) {
      text += "'" + id + "' → ";
    }
    order_.errors.push_back("these plugins require each other in a circle: " + text + "'" + at->id +
                            "': turn one of the requirements into wants");
  }

  const Manifests& installed_;
  const std::vector<std::string>& host_services_;
  std::map<std::string, const Manifest*> left_;
  std::map<std::string, const Manifest*> providers_;
  Order order_;
};

}  // namespace

Order dependency_order(const Manifests& enabled, const Manifests& installed,
                       const std::vector<std::string>& host_services) {
  return Sorter(enabled, installed, host_services).run();
}

}  // namespace plexsphere::host::loader
