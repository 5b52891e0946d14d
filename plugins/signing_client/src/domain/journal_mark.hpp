// A call's place in the signer's journal, as answers carry it and as audit rows keep it.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::signing_client {

struct JournalMark {
  std::string instance;   // 32 lower-case hexadecimal digits: which journal
  std::uint64_t seq = 0;  // from 1
  std::string head;       // 64 lower-case hexadecimal digits: its hash up to and with this call
  friend bool operator==(const JournalMark&, const JournalMark&) = default;
};

// What is known of a call's place once the call is over.
struct JournalPlace {
  std::optional<JournalMark> mark;
  bool lost = false;  // no answer came: the call may have a place that nobody told of
};

[[nodiscard]] bool is_well_formed(const JournalMark& mark);

// "<instance> <seq> <head>", the trailing metadata of a refusal; nothing for any other text.
[[nodiscard]] std::optional<JournalMark> parse_mark(std::string_view text);

// "journal:<instance>:<seq>:<head>", a step of an audit row's relation path.
[[nodiscard]] std::string step_of(const JournalMark& mark);

}  // namespace plexsphere::signing_client
