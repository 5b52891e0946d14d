#include "app/subject_check.hpp"

#include <utility>
#include <vector>

#include "app/digest.hpp"
#include "app/entry.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Uuid;

namespace {

constexpr std::int64_t kPage = 1'000;

}  // namespace

Result<std::optional<Divergence>> SubjectCheck::every(const Uuid& chain) const {
  std::string after;
  do {
    auto found = next(chain, after, kPage);
    if (!found.ok() || found.value()) {
      return found;
    }
  } while (!after.empty());
  return std::optional<Divergence>{};
}

Result<std::optional<Divergence>> SubjectCheck::next(const Uuid& chain, std::string& after,
                                                     std::int64_t limit) const {
  const auto page = store_.subjects(chain, after, limit);
  if (!page.ok()) {
    return page.error();
  }
  for (const NamedSubject& each : *page) {
    const auto named = is_named(chain, each);
    if (!named.ok()) {
      return named.error();
    }
    if (!*named) {
      const auto seq = store_.first_of(chain, each.pseudonym);
      return seq.ok() ? Result<std::optional<Divergence>>(std::optional(Divergence{
                            *seq, Finding::subject_differs, each.pseudonym, std::nullopt}))
                      : seq.error();
    }
  }
  const bool more = static_cast<std::int64_t>(page->size()) == limit;
  after = more ? page->back().pseudonym : std::string();
  return std::optional<Divergence>{};
}

// A person may stand in the chain as a subject or as what an entry is about, or both. Of a chain
// without a pepper nobody can tell.
Result<bool> SubjectCheck::is_named(const Uuid& chain, const NamedSubject& subject) const {
  std::vector<std::string> candidates;
  if (auto bytes = subject_bytes(subject.type, subject.plaintext); bytes.ok()) {
    candidates.push_back(std::move(*bytes));
  }
  if (is_person(subject.type)) {
    candidates.push_back(person_bytes(subject.plaintext));
  }
  for (const std::string& candidate : candidates) {
    const auto name = peppers_.existing(chain, candidate);
    if (!name.ok()) {
      return name.error();
    }
    if (!name.value() || *name.value() == subject.pseudonym) {
      return true;
    }
  }
  return false;
}

}  // namespace plexsphere::audit
