// px.authz/1 in C++: the consumer's wrapper and the provider's base class.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/ports/authz.h"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

// "user:<uuid>", "group:<uuid>#member".
struct Reference {
  std::string type;
  std::string id;
  std::string relation = {};

  bool operator==(const Reference&) const = default;
  auto operator<=>(const Reference&) const = default;
  px_reference wire() const { return {to_wire(type), to_wire(id), to_wire(relation)}; }
  static Reference from(const px_reference& r) {
    return {std::string(view(r.type)), std::string(view(r.id)), std::string(view(r.relation))};
  }
};

struct Tuple {
  Reference object;
  std::string relation;
  Reference subject;
  bool operator==(const Tuple&) const = default;
};

struct Decision {
  px_reason reason = PX_REASON_UNKNOWN;
  std::vector<std::string> relation_path;
  bool allowed() const { return reason == PX_REASON_GRANTED; }
};

// The contract's spelling of a reason.
inline std::string_view reason_text(px_reason reason) {
  switch (reason) {
    case PX_REASON_GRANTED:
      return "granted";
    case PX_REASON_OUT_OF_SCOPE:
      return "out_of_scope";
    case PX_REASON_INSUFFICIENT_RELATION:
      return "insufficient_relation";
    case PX_REASON_CAVEAT_VIOLATION:
      return "caveat_violation";
    default:
      return "unknown";
  }
}

class Authz {
 public:
  static constexpr std::string_view kName = "px.authz/1";
  using Wire = px_authz;
  using Done = std::function<void(const Result<Decision>&)>;
  Authz() = default;
  explicit Authz(const px_authz* table) : table_(table) {}

  // `done` runs once, on any thread.
  void check(const Reference& subject, std::string_view permission, const Reference& object,
             std::string_view remote_ip, Done done) const {
    const px_check wire{sizeof(px_check),  0, subject.wire(), to_wire(permission), object.wire(),
                        to_wire(remote_ip)};
    table_->check(table_->base.self, &wire, &finish, new Done(std::move(done)));
  }

  // One answer per id, in order. Blocks.
  Result<std::vector<bool>> filter(const Reference& subject, std::string_view permission,
                                   std::string_view object_type,
                                   std::span<const std::string> ids) const {
    std::vector<px_str> wire_ids;
    wire_ids.reserve(ids.size());
    for (const std::string& id : ids) {
      wire_ids.push_back(to_wire(id));
    }
    std::vector<uint8_t> allowed(ids.size(), 0);
    ErrorSink sink;
    const px_status s =
        table_->filter(table_->base.self, subject.wire(), to_wire(permission), to_wire(object_type),
                       wire_ids.data(), wire_ids.size(), allowed.data(), sink.wire());
    if (s != PX_OK) {
      return std::move(sink).error(s);
    }
    return std::vector<bool>(allowed.begin(), allowed.end());
  }

  Status write(const Transaction& tx, std::span<const Tuple> tuples) const {
    std::vector<px_tuple> wire;
    wire.reserve(tuples.size());
    for (const Tuple& tuple : tuples) {
      wire.push_back({tuple.object.wire(), to_wire(tuple.relation), tuple.subject.wire()});
    }
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->write(table_->base.self, tx.wire(), wire.data(), wire.size(), sink.wire()));
  }

  Status remove_object(const Transaction& tx, const Reference& object) const {
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->remove_object(table_->base.self, tx.wire(), object.wire(), sink.wire()));
  }

 private:
  static void finish(void* ctx, px_status status, const px_decision* decision) noexcept {
    const std::unique_ptr<Done> done(static_cast<Done*>(ctx));
    try {
      if (status != PX_OK || decision == nullptr) {
        (*done)(Error{static_cast<Code>(status == PX_OK ? PX_INTERNAL : status),
                      "authz_unavailable", "The authorisation check gave no answer."});
        return;
      }
      Decision out{decision->reason, {}};
      for (uint64_t i = 0; i < decision->relation_path_count; ++i) {
        out.relation_path.emplace_back(view(decision->relation_path[i]));
      }
      (*done)(std::move(out));
    } catch (...) {
      // A completion that throws has nobody to tell; its responder answers 500 by destruction.
    }
  }

  const px_authz* table_ = nullptr;
};

// Derive, and offer table() under Authz::kName. Lives until the process ends.
class AuthzProvider {
 public:
  AuthzProvider();
  virtual ~AuthzProvider() = default;
  AuthzProvider(const AuthzProvider&) = delete;
  AuthzProvider& operator=(const AuthzProvider&) = delete;

  const px_table* table() const { return &table_.base; }

 protected:
  virtual Result<Decision> check(const Reference& subject, std::string_view permission,
                                 const Reference& object, std::string_view remote_ip) = 0;
  virtual Result<std::vector<bool>> filter(const Reference& subject, std::string_view permission,
                                           std::string_view object_type,
                                           std::span<const std::string> ids) = 0;
  virtual Status write(px_tx* tx, std::span<const Tuple> tuples) = 0;
  virtual Status remove_object(px_tx* tx, const Reference& object) = 0;

 private:
  static void check_thunk(void* self, const px_check* check, px_authz_done done,
                          void* ctx) noexcept;
  static px_status filter_thunk(void* self, px_reference subject, px_str permission,
                                px_str object_type, const px_str* ids, uint64_t count,
                                uint8_t* allowed, px_error* err) noexcept;
  static px_status write_thunk(void* self, px_tx* tx, const px_tuple* tuples, uint64_t count,
                               px_error* err) noexcept;
  static px_status remove_thunk(void* self, px_tx* tx, px_reference object, px_error* err) noexcept;

  px_authz table_;
};

inline AuthzProvider::AuthzProvider()
    : table_{
          {sizeof(px_authz), 1, this}, &check_thunk, &filter_thunk, &write_thunk, &remove_thunk} {}

inline void AuthzProvider::check_thunk(void* self, const px_check* check, px_authz_done done,
                                       void* ctx) noexcept {
  px_status status = PX_INTERNAL;
  Decision decision;
  std::vector<px_str> path;
  try {
    auto result = static_cast<AuthzProvider*>(self)->check(
        Reference::from(check->subject), view(check->permission), Reference::from(check->object),
        view(check->remote_ip));
    if (result.ok()) {
      decision = std::move(*result);
      for (const std::string& step : decision.relation_path) {
        path.push_back(to_wire(step));
      }
      status = PX_OK;
    } else {
      status = static_cast<px_status>(result.error().code);
    }
  } catch (...) {
    status = PX_INTERNAL;
  }
  const px_decision wire{sizeof(px_decision), decision.reason, path.data(), path.size()};
  done(ctx, status, status == PX_OK ? &wire : nullptr);
}

inline px_status AuthzProvider::filter_thunk(void* self, px_reference subject, px_str permission,
                                             px_str object_type, const px_str* ids, uint64_t count,
                                             uint8_t* allowed, px_error* err) noexcept {
  return guard(err, [&]() -> Status {
    std::vector<std::string> list;
    for (uint64_t i = 0; i < count; ++i) {
      list.emplace_back(view(ids[i]));
    }
    auto result = static_cast<AuthzProvider*>(self)->filter(
        Reference::from(subject), view(permission), view(object_type), list);
    if (!result.ok()) {
      return result.error();
    }
    for (uint64_t i = 0; i < count; ++i) {
      allowed[i] = (*result)[i] ? 1 : 0;
    }
    return {};
  });
}

inline px_status AuthzProvider::write_thunk(void* self, px_tx* tx, const px_tuple* tuples,
                                            uint64_t count, px_error* err) noexcept {
  return guard(err, [&]() -> Status {
    std::vector<Tuple> list;
    for (uint64_t i = 0; i < count; ++i) {
      list.push_back({Reference::from(tuples[i].object), std::string(view(tuples[i].relation)),
                      Reference::from(tuples[i].subject)});
    }
    return static_cast<AuthzProvider*>(self)->write(tx, list);
  });
}

inline px_status AuthzProvider::remove_thunk(void* self, px_tx* tx, px_reference object,
                                             px_error* err) noexcept {
  return guard(err, [&]() -> Status {
    return static_cast<AuthzProvider*>(self)->remove_object(tx, Reference::from(object));
  });
}

}  // namespace plexsphere::sdk::inline v1
