// The mirror's works: copying, reading back, restoring, with their jobs, metrics and probe.
//
// Owns its parts, whose jobs and probe use it until the process ends. Start and stop from one
// thread.
#pragma once

#include <memory>

#include "app/archive_settings.hpp"
#include "app/archiver.hpp"
#include "app/mirror_scan.hpp"
#include "app/restorer.hpp"
#include "wiring/common.hpp"

namespace plexsphere::audit {

class Mirroring {
 public:
  // [init] Null where no endpoint is set.
  static sdk::Result<std::unique_ptr<Mirroring>> make(const Common& common);

  void start();
  void stop();

 private:
  Mirroring() = default;
  sdk::Status add_archiver(const Common& common, const ArchiveSettings& settings,
                           const ArchiveStore& store, const sdk::Egress& egress);
  sdk::Status add_scan(const Common& common, const ArchiveSettings& settings,
                       const ArchiveStore& store, const sdk::Egress& egress);
  sdk::Status add_restorer(const Common& common, const ArchiveSettings& settings,
                           const sdk::Egress& egress);

  sdk::Jobs jobs_;
  std::unique_ptr<Archiver> archiver_;
  std::unique_ptr<MirrorScan> scan_;
  std::unique_ptr<Restorer> restorer_;
};

}  // namespace plexsphere::audit
