#include "soak/audit/ledger.hpp"

namespace plexsphere::soak {

std::string_view change_of(Kind kind) {
  switch (kind) {
    case Kind::kDomain:
      return "domain.create";
    case Kind::kProject:
      return "project.create";
    case Kind::kToken:
      return "bootstrap_token.issue";
    default:
      return {};
  }
}

bool Attempt::acknowledged() const {
  switch (kind) {
    case Kind::kDomain:
    case Kind::kProject:
    case Kind::kToken:
      return status == 201;
    case Kind::kDenied:
      return status == 403;
    default:
      return status == 200;
  }
}

std::size_t Attempt::entries() const {
  return kind == Kind::kProject || kind == Kind::kToken ? 2 : 1;  // a Domain's change is in its own
}

void Ledger::note(Attempt attempt) {
  const std::lock_guard lock(mutex_);
  page_.attempts.push_back(std::move(attempt));
}

void Ledger::note(Seen seen) {
  const std::lock_guard lock(mutex_);
  page_.seen.push_back(std::move(seen));
}

Ledger::Page Ledger::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(page_, {});
}

}  // namespace plexsphere::soak
