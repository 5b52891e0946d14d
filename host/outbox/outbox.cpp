#include "host/outbox/outbox.hpp"

#include <algorithm>
#include <utility>

#include "host/base/uuid.hpp"
#include "host/persistence/error_capture.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::outbox {
namespace {

using persistence::StoreError;

std::string text_of(px_str text) {
  return text.len == 0 ? std::string{} : std::string(text.ptr, text.len);
}
px_str view(std::string_view text) {
  return {text.data(), text.size()};
}

bool is_nil(const px_uuid& id) {
  return std::ranges::all_of(id.b, [](std::uint8_t byte) { return byte == 0; });
}

[[noreturn]] void refuse(const std::string& why) {
  throw StoreError(PX_INVALID_ARGUMENT, "event_invalid", why);
}

void check(const px_event& event) {
  if (event.struct_size < sizeof(px_event)) {
    refuse("px_event is shorter than revision 1 of px.outbox");
  }
  if (event.type.len == 0 || event.type.len > kMaxNameBytes || event.aggregate_type.len == 0 ||
      event.aggregate_type.len > kMaxNameBytes || event.correlation_id.len > kMaxNameBytes) {
    refuse(
        "an event needs a type and an aggregate type of 1 to 128 bytes, and a correlation id of "
        "at most 128");
  }
  if (is_nil(event.aggregate_id)) {
    refuse("event " + text_of(event.type) + " names no aggregate");
  }
  if (event.payload.len > kMaxPayloadBytes) {
    refuse("the payload of " + text_of(event.type) + " has " + std::to_string(event.payload.len) +
           " bytes; the limit is " + std::to_string(kMaxPayloadBytes));
  }
  if (event.payload.len < 2 || event.payload.ptr[0] != '{') {
    refuse("the payload of " + text_of(event.type) + " is not a JSON object");
  }
}

// One column of the append call: an array value over items that live beside it.
struct Column {
  explicit Column(px_type type) : element(type) {}
  px_type element;
  std::vector<px_value> items;

  void add(px_str text) {
    px_value value{};
    value.type = PX_TYPE_TEXT;
    value.v.text = text;
    items.push_back(value);
  }
  void add(const px_uuid& id) {
    px_value value{};
    value.type = PX_TYPE_UUID;
    value.v.uuid = id;
    items.push_back(value);
  }
  [[nodiscard]] px_value array() const {
    px_value value{};
    value.type = PX_TYPE_ARRAY + element;
    value.v.array = {items.data(), items.size()};
    return value;
  }
};

}  // namespace

struct Outbox::Event {
  explicit Event(const px_event& given)
      : type(text_of(given.type)),
        aggregate_type(text_of(given.aggregate_type)),
        payload(text_of(given.payload)),
        correlation_id(text_of(given.correlation_id)),
        wire{given} {
    wire.struct_size = sizeof(px_event);
    wire.type = view(type);
    wire.aggregate_type = view(aggregate_type);
    wire.payload = view(payload);
    wire.correlation_id = view(correlation_id);
    if (is_nil(wire.id)) {
      std::ranges::copy(make_uuid7(), std::begin(wire.id.b));
    }
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  std::string type;
  std::string aggregate_type;
  std::string payload;
  std::string correlation_id;
  px_event wire;
};

Outbox::Outbox(persistence::Store& store) : store_(store) {
  constexpr std::string_view sql =
      "SELECT * FROM platform.port_outbox_append($1, $2, $3, $4, $5, $6, $7)";
  constexpr px_type uuids = PX_TYPE_ARRAY + PX_TYPE_UUID;
  constexpr px_type texts = PX_TYPE_ARRAY + PX_TYPE_TEXT;
  const px_type parameters[] = {uuids, uuids, texts, texts, uuids, texts, texts};
  const px_type results[] = {PX_TYPE_INT64};
  const px_statement statement{sizeof(px_statement),
                               PX_STATEMENT_PORT,
                               view("outbox.append"),
                               view(sql),
                               parameters,
                               7,
                               results,
                               1};
  append_ = store_.catalog().declare(client_, statement);

  const auto release = [](void*, void* item) { delete static_cast<Item*>(item); };
  px_participant participant{};
  participant.struct_size = sizeof(px_participant);
  participant.ctx = this;
  participant.release = release;
  participant.phase = PX_PHASE_PROJECTION;
  participant.name = view("outbox.projections");
  participant.flush = [](void* ctx, px_tx* tx, void* const* items, std::uint64_t count,
                         px_error* err) {
    return persistence::guarded_call(err,
                                     [&] { static_cast<Outbox*>(ctx)->project(tx, items, count); });
  };
  projections_ = store_.catalog().participate(client_, participant);
  participant.phase = PX_PHASE_OUTBOX;
  participant.name = view("outbox.append");
  participant.flush = [](void* ctx, px_tx* tx, void* const* items, std::uint64_t count,
                         px_error* err) {
    return persistence::guarded_call(err,
                                     [&] { static_cast<Outbox*>(ctx)->write(tx, items, count); });
  };
  writes_ = store_.catalog().participate(client_, participant);
}

Outbox::~Outbox() = default;

void Outbox::append(px_tx* tx, const px_event& event) {
  check(event);
  const auto shared = std::make_shared<Event>(event);
  const auto stage = [&](std::uint32_t participant) {
    auto item = std::make_unique<Item>(shared);
    store_.stage(client_, tx, participant, item.get());
    (void)item.release();  // the transaction's now
  };
  if (!subscriptions_to(shared->type).empty()) {
    stage(projections_);
  }
  stage(writes_);
}

void Outbox::subscribe(const std::string& context, const std::string& type,
                       px_projection projection, void* ctx) {
  if (type.empty() || projection == nullptr) {
    throw StoreError(PX_INVALID_ARGUMENT, "subscription_incomplete",
                     "a projection needs an event type and a function");
  }
  const std::lock_guard lock(mutex_);
  subscriptions_.push_back({context, type, projection, ctx});
}

void Outbox::unsubscribe(const std::string& context) {
  const std::lock_guard lock(mutex_);
  std::erase_if(subscriptions_, [&](const auto& known) { return known.context == context; });
}

std::vector<Outbox::Subscription> Outbox::subscriptions_to(const std::string& type) const {
  const std::lock_guard lock(mutex_);
  std::vector<Subscription> out;
  std::ranges::copy_if(subscriptions_, std::back_inserter(out),
                       [&](const Subscription& subscription) { return subscription.type == type; });
  return out;
}

void Outbox::project(px_tx* tx, void* const* items, std::uint64_t count) {
  // Types in order of first appearance, so that causes are projected before their effects.
  std::vector<std::string> types;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string& type = (*static_cast<Item*>(items[i]))->type;
    if (std::ranges::find(types, type) == types.end()) {
      types.push_back(type);
    }
  }
  for (const std::string& type : types) {
    std::vector<const px_event*> events;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Item& item = *static_cast<Item*>(items[i]);
      if (item->type == type) {
        events.push_back(&item->wire);
      }
    }
    for (const Subscription& subscription : subscriptions_to(type)) {
      persistence::ErrorCapture error;
      const px_status status =
          subscription.projection(subscription.ctx, tx, events.data(), events.size(), error.sink());
      if (status != PX_OK) {
        throw StoreError(status, error.reason(),
                         "the projection of " + type + " by " + subscription.context +
                             " failed: " + error.detail());
      }
    }
  }
}

void Outbox::write(px_tx* tx, void* const* items, std::uint64_t count) {
  Column ids{PX_TYPE_UUID};
  Column domains{PX_TYPE_UUID};
  Column types{PX_TYPE_TEXT};
  Column aggregate_types{PX_TYPE_TEXT};
  Column aggregates{PX_TYPE_UUID};
  Column payloads{PX_TYPE_TEXT};
  Column correlations{PX_TYPE_TEXT};
  for (std::uint64_t i = 0; i < count; ++i) {
    const px_event& event = (*static_cast<Item*>(items[i]))->wire;
    ids.add(event.id);
    domains.add(event.domain_id);
    types.add(event.type);
    aggregate_types.add(event.aggregate_type);
    aggregates.add(event.aggregate_id);
    payloads.add(event.payload);
    correlations.add(event.correlation_id);
  }
  const std::vector<px_value> parameters{
      ids.array(),        domains.array(),  types.array(),       aggregate_types.array(),
      aggregates.array(), payloads.array(), correlations.array()};
  store_.execute(client_, tx, append_, parameters.data(), parameters.size(), nullptr);
}

}  // namespace plexsphere::host::outbox
