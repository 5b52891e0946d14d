#include "app/entry.hpp"

#include <stdexcept>
#include <utility>

#include "app/digest.hpp"
#include "domain/record.hpp"
#include "domain/text.hpp"
#include "plexsphere/sdk/ports/authz.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;
using sdk::view;

Error refused(std::string_view what, std::size_t limit) {
  return {Code::invalid_argument, "invalid_entry",
          "An audit entry's " + std::string(what) + " must have 1 to " + std::to_string(limit) +
              " bytes."};
}

// Copies one member after another and keeps the first fault.
class Copier {
 public:
  std::string text(std::string_view name, px_str value, std::size_t limit, bool required) {
    if (value.len > limit || (required && value.len == 0)) {
      fail(refused(name, limit));
      return {};
    }
    return clean_text(view(value));
  }

  std::vector<std::string> path(const px_audit_entry& wire) {
    std::vector<std::string> steps;
    if (wire.relation_path_count > EntryLimits::kPathSteps) {
      fail({Code::invalid_argument, "invalid_entry",
            "An audit entry's relation path has at most " +
                std::to_string(EntryLimits::kPathSteps) + " steps."});
      return steps;
    }
    for (uint64_t i = 0; i < wire.relation_path_count; ++i) {
      steps.push_back(text("path step", wire.relation_path[i], EntryLimits::kPathStep, false));
    }
    return steps;
  }

  std::map<std::string, std::set<std::string>> caveats(const px_audit_entry& wire) {
    std::map<std::string, std::set<std::string>> out;
    if (wire.caveat_name_count > EntryLimits::kCaveats) {
      fail({Code::invalid_argument, "invalid_entry",
            "An audit entry has at most " + std::to_string(EntryLimits::kCaveats) + " caveats."});
      return out;
    }
    for (uint64_t i = 0; i < wire.caveat_name_count; ++i) {
      const px_pair& pair = wire.caveat_names[i];
      auto& parameters = out[text("caveat", pair.name, EntryLimits::kName, true)];
      add_names(parameters,
                text("caveat parameters", pair.value, EntryLimits::kCaveatParameters, false));
    }
    return out;
  }

  const std::optional<Error>& fault() const { return fault_; }
  void fail(Error error) {
    if (!fault_) {
      fault_ = std::move(error);
    }
  }

 private:
  static void add_names(std::set<std::string>& names, std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      if (const auto name = list.substr(0, comma); !name.empty()) {
        names.emplace(name);
      }
      list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
  }

  std::optional<Error> fault_;
};

Status check_chain(const Entry& entry) {
  const bool names_domain = entry.chain == PX_CHAIN_DOMAIN;
  const bool known =
      names_domain || entry.chain == PX_CHAIN_RESOLVE || entry.chain == PX_CHAIN_PLATFORM;
  if (!known) {
    return Error{Code::invalid_argument, "invalid_entry",
                 "An audit entry's chain must be one of px_chain."};
  }
  if (names_domain && (entry.domain_id.is_zero() || entry.domain_id == platform_anchor())) {
    return Error{Code::failed_precondition, "domain_unresolved",
                 "The audit entry is for a Domain's chain and names no Domain."};
  }
  return {};
}

// What an entry says of its object: text as it stands, or a person's pseudonym in its place.
class ObjectName {
 public:
  ObjectName(const Entry& entry, const std::optional<std::string>& pseudonym)
      : plain_(entry.object_id), told_(entry.object_id) {
    if (entry.object_bytes && !pseudonym) {
      throw std::logic_error("an entry about a person needs that person's pseudonym");
    }
    if (entry.object_bytes) {
      told_ = sdk::hex_encode(*pseudonym);
    }
  }
  const std::string& text() const { return told_; }
  // Steps of a relation path name the object too: "service-identity:<id>#read".
  std::vector<std::string> in(std::vector<std::string> steps) const {
    if (told_ == plain_) {
      return steps;
    }
    for (std::string& step : steps) {
      for (auto at = step.find(plain_); at != std::string::npos;
           at = step.find(plain_, at + told_.size())) {
        step.replace(at, plain_.size(), told_);
      }
    }
    return steps;
  }

 private:
  const std::string& plain_;
  std::string told_;
};

}  // namespace

bool is_person(std::string_view object_type) {
  return object_type == "user" || object_type == "service-identity";
}

const Uuid& platform_anchor() {
  static const Uuid anchor = *Uuid::parse("00000000-0000-7000-8000-000000000001");
  return anchor;
}

Result<Entry> copy_entry(const px_audit_entry& wire, sdk::Instant now) {
  if (wire.struct_size < sizeof(px_audit_entry)) {
    return Error{Code::invalid_argument, "invalid_entry", "The audit entry is cut short."};
  }
  Copier copy;
  Entry entry;
  entry.chain = wire.chain;
  entry.domain_id = Uuid(wire.domain_id);
  entry.reason = wire.reason;
  entry.subject_is_platform = wire.subject_scope_platform != 0;
  entry.subject_type = copy.text("subject type", wire.subject_type, EntryLimits::kName, true);
  entry.subject_id = copy.text("subject id", wire.subject_id, EntryLimits::kId, false);
  entry.subject_domain_id = Uuid(wire.subject_domain_id);
  entry.relation = copy.text("relation", wire.relation, EntryLimits::kName, true);
  entry.object_type = copy.text("object type", wire.object_type, EntryLimits::kName, true);
  entry.object_id = copy.text("object id", wire.object_id, EntryLimits::kId, false);
  entry.relation_path = copy.path(wire);
  entry.caveats = copy.caveats(wire);
  entry.correlation_id =
      copy.text("correlation id", wire.correlation_id, EntryLimits::kName, false);
  entry.remote_ip = copy.text("remote address", wire.remote_ip, EntryLimits::kName, false);
  entry.user_agent = clean_prefix(view(wire.user_agent), EntryLimits::kUserAgent);
  entry.occurred_at = now;
  if (copy.fault()) {
    return *copy.fault();
  }
  if (auto chain = check_chain(entry); !chain.ok()) {
    return chain.error();
  }
  auto bytes = subject_bytes(entry.subject_type, entry.subject_id);
  if (!bytes.ok()) {
    return bytes.error();
  }
  entry.subject_bytes = std::move(*bytes);
  if (is_person(entry.object_type) && !entry.object_id.empty()) {
    entry.object_bytes = person_bytes(entry.object_id);
  }
  if (entry.correlation_id.empty()) {
    entry.correlation_id = Uuid::v7(sdk::to_ms(now)).text();
  }
  return entry;
}

Row make_row(const Entry& entry, const Uuid& chain, std::string_view pseudonym,
             const std::optional<std::string>& object_pseudonym) {
  const ObjectName object(entry, object_pseudonym);
  Row row;
  row.chain = chain;
  row.subject_type = entry.subject_type;
  row.subject_id = entry.subject_id;
  row.object_person = entry.object_bytes ? std::optional(entry.object_id) : std::nullopt;
  Record record{chain.text(),
                entry.occurred_at,
                std::string(sdk::reason_text(entry.reason)),
                entry.relation,
                entry.object_type,
                object.text(),
                sdk::hex_encode(pseudonym),
                entry.correlation_id,
                object.in(entry.relation_path),
                entry.caveats,
                std::nullopt};
  const Address address = parse_address(entry.remote_ip);
  if (!address.bytes.empty() || !entry.user_agent.empty()) {
    row.salt = std::string(kSaltSize, '\0');
    sdk::random_bytes(row.salt->data(), row.salt->size());
    record.request_context_hash =
        sdk::hex_encode(context_hash(*row.salt, address, entry.user_agent));
    row.source_ip = address.text.empty() ? std::nullopt : std::optional(address.text);
    row.user_agent = entry.user_agent.empty() ? std::nullopt : std::optional(entry.user_agent);
  }
  Canonical canonical = encode(record);
  row.head = std::move(canonical.head);
  row.tail = std::move(canonical.tail);
  return row;
}

}  // namespace plexsphere::audit
