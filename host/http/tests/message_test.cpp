#include "host/http/message.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::host::http {
namespace {

TEST_CASE("every status that has a registered meaning has its phrase", "[http]") {
  // RFC 9110, 15, without what it calls unused; 425 is of RFC 8470, the last three of RFC 6585.
  for (const int status :
       {100, 101, 200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307,
        308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414,
        415, 416, 417, 421, 422, 426, 500, 501, 502, 503, 504, 505, 425, 428, 429, 431}) {
    CAPTURE(status);
    CHECK(std::string(reason_phrase(status)) != "Unknown");
  }
  CHECK(std::string(reason_phrase(417)) == "Expectation Failed");
  CHECK(std::string(reason_phrase(505)) == "HTTP Version Not Supported");
  CHECK(std::string(reason_phrase(299)) == "Unknown");
}

}  // namespace
}  // namespace plexsphere::host::http
