#include "domain/chain_walk.hpp"

#include <charconv>
#include <utility>

namespace plexsphere::audit {

std::string_view finding_name(Finding finding) {
  switch (finding) {
    case Finding::missing_entry:
      return "missing_entry";
    case Finding::broken_link:
      return "broken_link";
    case Finding::hash_mismatch:
      return "hash_mismatch";
    case Finding::content_differs:
      return "content_differs";
    case Finding::duplicate_entry:
      return "duplicate_entry";
    case Finding::stray_entry:
      return "stray_entry";
    case Finding::context_differs:
      return "context_differs";
    case Finding::subject_differs:
      return "subject_differs";
    case Finding::head_mismatch:
      return "head_mismatch";
    case Finding::rewritten:
      return "rewritten";
    case Finding::set_back:
      return "set_back";
    case Finding::mirror_divergence:
      return "mirror_divergence";
    case Finding::checkpoint_mismatch:
      return "checkpoint_mismatch";
  }
  return "unknown";
}

ChainWalk::ChainWalk(Hash hash, std::string head, std::int64_t first_seq,
                     std::optional<std::string> predecessor)
    : hash_(hash), head_(std::move(head)), next_seq_(first_seq), previous_(std::move(predecessor)) {
  if (first_seq == 1) {
    previous_ = std::string(kHashSize, '\0');
  }
}

bool ChainWalk::names_itself(const Link& link) const {
  if (!link.canonical_bytes.starts_with(head_)) {
    return false;
  }
  char own[24];
  char* const end = std::to_chars(own, own + sizeof own - 1, link.seq).ptr;
  *end = ',';
  return link.canonical_bytes.substr(head_.size()).starts_with(std::string_view(own, end + 1));
}

std::optional<Divergence> ChainWalk::step(const Link& link) {
  if (link.seq < next_seq_) {
    return Divergence{link.seq, Finding::duplicate_entry, std::nullopt,
                      std::string(link.entry_hash)};
  }
  if (link.seq != next_seq_) {
    return Divergence{next_seq_, Finding::missing_entry, std::nullopt, std::nullopt};
  }
  const std::string_view before = previous_ ? std::string_view(*previous_) : link.prev_hash;
  std::string expected = hash_(before, link.canonical_bytes);
  const auto diverges = [&](Finding finding) {
    return Divergence{link.seq, finding, expected, std::string(link.entry_hash)};
  };
  if (link.prev_hash != before) {
    return diverges(Finding::broken_link);
  }
  if (link.entry_hash != expected) {
    return diverges(Finding::hash_mismatch);
  }
  if (!link.columns_match || !names_itself(link)) {
    return diverges(Finding::content_differs);
  }
  previous_ = std::move(expected);
  ++next_seq_;
  ++steps_;
  return std::nullopt;
}

std::optional<Divergence> ChainWalk::finish(std::int64_t last,
                                            const std::optional<std::string>& head_hash) const {
  if (last_seq() < last) {
    return Divergence{next_seq_, Finding::missing_entry, std::nullopt, std::nullopt};
  }
  if (head_hash && previous_ != head_hash) {
    return Divergence{last, Finding::head_mismatch, previous_, head_hash};
  }
  return std::nullopt;
}

}  // namespace plexsphere::audit
