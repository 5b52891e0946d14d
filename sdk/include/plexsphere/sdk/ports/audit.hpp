// px.audit/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/abi/ports/audit.h"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::sdk::inline v1 {

// One row. `relation` is the action ("domain.create") or the relation checked.
struct AuditEntry {
  px_chain chain = PX_CHAIN_RESOLVE;
  Uuid domain_id;
  px_reason reason = PX_REASON_GRANTED;
  std::string subject_type;
  std::string subject_id;
  Uuid subject_domain_id;
  std::string relation;
  std::string object_type;
  std::string object_id;
  std::vector<std::string> relation_path;
  std::vector<std::pair<std::string, std::string>> caveat_names;
  std::string correlation_id;
  std::string remote_ip;
  std::string user_agent;

  // Subject and request context of whoever calls. For a change in a Domain: set domain_id after.
  static AuditEntry of(const Request& request, std::string relation, std::string object_type,
                       std::string object_id) {
    const Principal caller = request.principal();
    AuditEntry entry;
    entry.subject_type = caller.reference_type();
    entry.subject_id = caller.id.is_zero() ? std::string{} : caller.id.text();
    entry.subject_domain_id = caller.domain_id;
    entry.relation = std::move(relation);
    entry.object_type = std::move(object_type);
    entry.object_id = std::move(object_id);
    entry.correlation_id = request.correlation_id();
    entry.remote_ip = request.remote_ip();
    entry.user_agent = request.user_agent();
    return entry;
  }
  AuditEntry& in_domain(const Uuid& domain) {
    chain = PX_CHAIN_DOMAIN;
    domain_id = domain;
    return *this;
  }
  AuditEntry& in_platform() {
    chain = PX_CHAIN_PLATFORM;
    return *this;
  }
};

class Audit {
 public:
  static constexpr std::string_view kName = "px.audit/1";
  using Wire = px_audit;
  using Done = std::function<void(const Status&)>;
  // Domains that own an object; empty when unknown.
  using Resolver = std::function<Result<std::vector<Uuid>>(std::string_view object_id)>;
  Audit() = default;
  explicit Audit(const px_audit* table) : table_(table) {}

  // Commits with `tx`.
  Status stage(const Transaction& tx, const AuditEntry& entry) const {
    ErrorSink sink;
    return std::move(sink).outcome(with_wire(entry, [&](const px_audit_entry& wire) {
      return table_->stage(table_->base.self, tx.wire(), &wire, sink.wire());
    }));
  }

  // `done` runs once the row is durable, on any thread.
  void record(const AuditEntry& entry, Done done) const {
    auto* kept = new Done(std::move(done));
    with_wire(entry, [&](const px_audit_entry& wire) {
      table_->record(
          table_->base.self, &wire,
          [](void* ctx, px_status status, px_str reason) noexcept {
            const std::unique_ptr<Done> finish(static_cast<Done*>(ctx));
            try {
              (*finish)(status == PX_OK
                            ? Status{}
                            : Status(Error{static_cast<Code>(status), std::string(view(reason)),
                                           "The audit log did not take the row."}));
            } catch (...) {
              // As with every completion: nobody is left to tell.
            }
          },
          kept);
      return PX_OK;
    });
  }

  // [init] Who owns objects of this type. Lives until the process ends.
  Status resolve_with(std::string_view object_type, Resolver resolver) const {
    auto* kept = new Resolver(std::move(resolver));
    ErrorSink sink;
    return std::move(sink).outcome(table_->resolve_with(
        table_->base.self, to_wire(object_type),
        [](void* ctx, px_str object_id, px_uuid* ids, uint64_t capacity, uint64_t* count,
           px_error* err) noexcept {
          return guard(err, [&]() -> Status {
            auto found = (*static_cast<Resolver*>(ctx))(view(object_id));
            if (!found.ok()) {
              return found.error();
            }
            *count = 0;
            for (const Uuid& id : *found) {
              if (*count == capacity) {
                return Error{Code::resource_exhausted, "too_many_domains",
                             "More Domains than asked."};
              }
              ids[(*count)++] = id.wire();
            }
            return {};
          });
        },
        kept, sink.wire()));
  }

 private:
  template <typename Use>
  static px_status with_wire(const AuditEntry& entry, Use use) {
    std::vector<px_str> path;
    for (const std::string& step : entry.relation_path) {
      path.push_back(to_wire(step));
    }
    std::vector<px_pair> caveats;
    for (const auto& [name, parameters] : entry.caveat_names) {
      caveats.push_back({to_wire(name), to_wire(parameters)});
    }
    px_audit_entry wire{};
    wire.struct_size = sizeof wire;
    wire.chain = entry.chain;
    wire.domain_id = entry.domain_id.wire();
    wire.reason = entry.reason;
    wire.subject_scope_platform = entry.subject_domain_id.is_zero() ? 1 : 0;
    wire.subject_type = to_wire(entry.subject_type);
    wire.subject_id = to_wire(entry.subject_id);
    wire.subject_domain_id = entry.subject_domain_id.wire();
    wire.relation = to_wire(entry.relation);
    wire.object_type = to_wire(entry.object_type);
    wire.object_id = to_wire(entry.object_id);
    wire.relation_path = path.data();
    wire.relation_path_count = path.size();
    wire.caveat_names = caveats.data();
    wire.caveat_name_count = caveats.size();
    wire.correlation_id = to_wire(entry.correlation_id);
    wire.remote_ip = to_wire(entry.remote_ip);
    wire.user_agent = to_wire(entry.user_agent);
    return use(wire);
  }

  const px_audit* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
