#include <string>
#include <utility>

#include "host/persistence/error_capture.hpp"
#include "host/persistence/store_error.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"

namespace plexsphere::host {

using persistence::guarded_call;

struct JobsProvider::Table {
  px_jobs wire{};
  jobs::Scheduler& engine;
  persistence::Client client;

  Table(jobs::Scheduler& the_engine, persistence::Client the_client)
      : engine(the_engine), client(std::move(the_client)) {
    wire.base = {sizeof(px_jobs), 1, this};
    wire.register_job = [](void* self, const px_job* job, px_error* err) {
      return guarded_call(err, [&] { static_cast<Table*>(self)->add(*job); });
    };
    wire.wake = [](void* self, px_str name) {
      (void)guarded_call(nullptr, [&] {
        auto& table = *static_cast<Table*>(self);
        table.engine.wake(table.client.context + "." + std::string(name.ptr, name.len));
      });
    };
  }

  void add(const px_job& given) {
    if (given.struct_size < sizeof(px_job) || given.run == nullptr) {
      throw persistence::StoreError(PX_INVALID_ARGUMENT, "job_invalid",
                                    "px_job is shorter than revision 1 or has no function");
    }
    jobs::Job job;
    job.client = client;
    job.name.assign(given.name.ptr, given.name.len);
    job.period = std::chrono::milliseconds{given.period_ms};
    job.run = [ctx = given.ctx, run = given.run](const px_job_run& wire_run, px_error* err) {
      return run(ctx, &wire_run, err);
    };
    engine.add(std::move(job));
  }
};

JobsProvider::JobsProvider(jobs::Scheduler& engine) : engine_(engine) {}
JobsProvider::~JobsProvider() = default;

const px_table* JobsProvider::table_for(const PluginContext& plugin) {
  if (!plugin.manifest.capabilities.schema) {
    return nullptr;
  }
  auto& table = tables_[&plugin];
  if (!table) {
    table = std::make_unique<Table>(engine_, client_of(plugin.manifest));
  }
  return &table->wire.base;
}

}  // namespace plexsphere::host
