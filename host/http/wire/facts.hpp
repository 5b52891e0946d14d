// What the header fields of one request say about its framing and its connection.
//
// Collects while fields are read and judges at the end, so that the order in which fields arrive
// never decides which fault is told.
//
// Thread safety: none.
#pragma once

#include <cstddef>
#include <string_view>

#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::wire {

class Facts {
 public:
  void take(std::string_view name, std::string_view value);
  // Completes `head`, whose request line has been read; `authority` is of an absolute target.
  // Null when the request is one.
  const Fault* conclude(std::string_view authority, const HeadLimits& limits, Head& head) const;

 private:
  // A field that may come once: how often it did, and the first one's value.
  struct Single {
    std::size_t times = 0;
    std::string_view value;

    void take(std::string_view text);
  };

  void take_connection(std::string_view value);
  const Fault* judge_host(std::string_view authority, bool http11) const;
  const Fault* judge_framing(Head& head) const;
  const Fault* judge_expectation(Head& head) const;

  std::size_t fields_ = 0;
  Single host_;
  Single length_;
  Single coding_;
  bool close_ = false;
  bool keep_alive_ = false;
  bool expect_continue_ = false;
  bool expect_other_ = false;
};

}  // namespace plexsphere::host::http::wire
