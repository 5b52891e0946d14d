#include "domain/key_set.hpp"

#include <algorithm>
#include <set>

namespace plexsphere::signing {
namespace {

Fault rejected(std::string cause) {
  return {FaultKind::kKeySetRejected, std::move(cause)};
}

std::ptrdiff_t count_state(const std::vector<KeyEntry>& keys, KeyState state) {
  return std::count_if(keys.begin(), keys.end(),
                       [state](const KeyEntry& key) { return key.state == state; });
}

bool has_unique_ids(const std::vector<KeyEntry>& keys) {
  std::set<std::string_view> ids;
  return std::all_of(keys.begin(), keys.end(), [&ids](const KeyEntry& key) {
    return is_key_id(key.key_id) && ids.insert(key.key_id).second;
  });
}

// A rotation joins the one rotating key to the active one, and neither exists without the other.
bool rotation_fits(const std::vector<KeyEntry>& keys, const std::optional<Rotation>& rotation) {
  const auto is = [&keys](std::string_view id, KeyState state) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const KeyEntry& key) { return key.key_id == id && key.state == state; });
  };
  const std::ptrdiff_t rotating = count_state(keys, KeyState::kRotating);
  if (!rotation) {
    return rotating == 0;
  }
  return rotating == 1 && is(rotation->old_key_id, KeyState::kRotating) &&
         is(rotation->new_key_id, KeyState::kActive) && rotation->closes_at >= rotation->opened_at;
}

}  // namespace

Outcome<KeySet> KeySet::restore(Scope scope, std::uint64_t number, std::vector<KeyEntry> keys,
                                std::optional<Rotation> rotation) {
  if (number == 0 || keys.empty() || keys.size() > kMaxKeys) {
    return rejected("a key set has a number above 0 and 1 to 128 keys");
  }
  if (!has_unique_ids(keys) || count_state(keys, KeyState::kActive) != 1) {
    return rejected("a key set has well-formed, unique key ids and exactly one active key");
  }
  if (!rotation_fits(keys, rotation)) {
    return rejected("an open rotation names the one rotating key and the active key");
  }
  KeySet set(std::move(scope));
  set.number_ = number;
  set.keys_ = std::move(keys);
  set.rotation_ = std::move(rotation);
  return set;
}

Outcome<KeyEntry> KeySet::active() const {
  for (const KeyEntry& key : keys_) {
    if (key.state == KeyState::kActive) {
      return key;
    }
  }
  return Fault{FaultKind::kKeyNotFound, "scope " + scope_.text() + " has no key yet"};
}

Outcome<KeyEntry> KeySet::find(std::string_view key_id) const {
  for (const KeyEntry& key : keys_) {
    if (key.key_id == key_id) {
      return key;
    }
  }
  return Fault{FaultKind::kKeyNotFound, "scope " + scope_.text() + " has no key of that id"};
}

Outcome<KeyEntry> KeySet::signing_key(std::string_view key_id) const {
  Outcome<KeyEntry> key = key_id.empty() ? active() : find(key_id);
  if (key.ok() && key.value().state == KeyState::kRetired) {
    return Fault{FaultKind::kKeyRetired, "key " + key.value().key_id + " is retired"};
  }
  return key;
}

Outcome<Done> KeySet::can_open(std::string_view new_key_id) const {
  if (!is_key_id(new_key_id)) {
    return Fault{FaultKind::kInvariantViolation,
                 "a key id is 1 to 128 characters of [A-Za-z0-9:#._/-]"};
  }
  if (rotation_) {
    return Fault{FaultKind::kRotationInProgress,
                 "rotation to key " + rotation_->new_key_id + " is open; close it first"};
  }
  if (find(new_key_id).ok()) {
    return Fault{FaultKind::kInvariantViolation, "the key id is taken in this scope"};
  }
  if (keys_.size() >= kMaxKeys) {
    return Fault{FaultKind::kInvariantViolation, "the scope holds the most keys it can, 128"};
  }
  return Done{};
}

Outcome<KeySet> KeySet::open(const KeyEntry& fresh, UnixSeconds now,
                             std::chrono::seconds overlap) const {
  if (Outcome<Done> allowed = can_open(fresh.key_id); !allowed.ok()) {
    return allowed.fault();
  }
  KeySet next = *this;
  next.number_ += 1;
  for (KeyEntry& key : next.keys_) {
    if (key.state == KeyState::kActive) {
      key.state = KeyState::kRotating;
      next.rotation_ = Rotation{key.key_id, fresh.key_id, now, now + overlap};
    }
  }
  KeyEntry entry = fresh;
  entry.state = KeyState::kActive;
  entry.valid_from = now;
  entry.valid_until.reset();
  next.keys_.push_back(std::move(entry));
  return next;
}

Outcome<KeySet> KeySet::close(std::string_view old_key_id, std::string_view new_key_id,
                              UnixSeconds now, bool force) const {
  const Outcome<KeyEntry> old_key = find(old_key_id);
  const Outcome<KeyEntry> new_key = find(new_key_id);
  if (!old_key.ok()) {
    return old_key.fault();
  }
  if (!new_key.ok()) {
    return new_key.fault();
  }
  if (!rotation_ && old_key.value().state == KeyState::kRetired &&
      new_key.value().state == KeyState::kActive) {
    return *this;
  }
  if (!rotation_ || rotation_->old_key_id != old_key_id || rotation_->new_key_id != new_key_id) {
    return Fault{FaultKind::kInvariantViolation, "no rotation between these keys is open"};
  }
  if (now < rotation_->closes_at && !force) {
    return Fault{FaultKind::kRotationInProgress,
                 "the overlap window has not passed; force closes it early"};
  }
  KeySet next = *this;
  next.number_ += 1;
  next.rotation_.reset();
  for (KeyEntry& key : next.keys_) {
    if (key.key_id == old_key_id) {
      key.state = KeyState::kRetired;
      key.valid_until = now;
    }
  }
  return next;
}

}  // namespace plexsphere::signing
