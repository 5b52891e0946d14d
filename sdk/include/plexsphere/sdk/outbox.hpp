// Domain events in the transaction of the change they tell of, and projections of them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/outbox.h"
#include "plexsphere/sdk/kept.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

// `payload` is one JSON object; a zero id lets the host make one.
struct Event {
  Uuid id;
  Uuid domain_id;
  std::string type;
  std::string aggregate_type;
  Uuid aggregate_id;
  std::string payload;
  std::string correlation_id;
};

class Outbox {
 public:
  static constexpr std::string_view kName = "px.outbox/1";
  using Wire = px_outbox;
  // Views of the wire events live for the call.
  using Projection = std::function<Status(px_tx*, std::span<const px_event* const>)>;
  Outbox() = default;
  explicit Outbox(const px_outbox* table) : table_(table) {}

  Status append(const Transaction& tx, const Event& event) const {
    const px_event wire{sizeof(px_event),
                        0,
                        event.id.wire(),
                        event.domain_id.wire(),
                        to_wire(event.type),
                        to_wire(event.aggregate_type),
                        event.aggregate_id.wire(),
                        to_wire(event.payload),
                        to_wire(event.correlation_id)};
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->append(table_->base.self, tx.wire(), &wire, sink.wire()));
  }

  // [init] The projection lives until the process ends.
  Status project(std::string_view type, Projection projection) const {
    auto* kept = detail::keep(std::move(projection));
    ErrorSink sink;
    return std::move(sink).outcome(table_->project(
        table_->base.self, to_wire(type),
        [](void* ctx, px_tx* tx, const px_event* const* events, uint64_t count,
           px_error* err) noexcept {
          return guard(
              err, [&] { return (*static_cast<Projection*>(ctx))(tx, std::span(events, count)); });
        },
        kept, sink.wire()));
  }

 private:
  const px_outbox* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
