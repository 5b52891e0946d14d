// More of everything than there is room for: connections, requests, bytes. What does not fit is
// told when to come back, what does is served, and afterwards it is as if nothing had been.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>

#include "good_client.hpp"
#include "host_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {
namespace {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::HttpResponse;
using test_support::wait_until;
using test_support::WireClient;

constexpr auto kPatience = 30s;
const std::string kAccepted = "plexsphere_http_connections_accepted_total";

// Connections turned away over that limit: "total" or "address".
double turned_away(HostRig& rig, const std::string& limit) {
  return rig.metric("plexsphere_http_connections_refused_total{reason=\"" + limit + "\"}");
}

void expect_told_to_return(const HttpResponse& answer, const std::string& code) {
  CHECK(answer.status == 503);
  CHECK(answer.body.find("\"code\":\"" + code + "\"") != std::string::npos);
  CHECK(std::stoi(header_of(answer, "Retry-After")) >= 1);
  CHECK(std::stoi(header_of(answer, "Retry-After")) <= 5);
}

// As many clients at once, each with a request under way.
std::vector<WireClient> crowd_of(const HostRig& rig, std::size_t count, const Origin& origin = {}) {
  std::vector<WireClient> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(rig.connect(false, origin));
  }
  for (auto& one : out) {
    (void)one.send(get("/v1/good/hello"));  // one that is turned away may be so already
  }
  return out;
}

// Of a crowd: how many were served. The others were told to return, and that it was for `code`.
std::size_t served_of(std::vector<WireClient>& crowd, const std::string& code) {
  std::size_t served = 0;
  for (auto& one : crowd) {
    const auto answer = one.answer();
    REQUIRE(answer);
    if (answer->status == 200) {
      ++served;
      continue;
    }
    expect_told_to_return(*answer, code);
    CHECK(header_of(*answer, "Connection") == "close");
    CHECK(is_closed(one));
  }
  return served;
}

bool handshake_fails(const HostRig& rig, const Origin& origin) {
  try {
    (void)rig.connect(true, origin);
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

TEST_CASE("connections that are reset at any stage leave nothing behind", "[hostile]") {
  HostRig rig("workers = 4\n");
  GoodClients good(rig);
  const std::string hello = test_support::TlsClientContext().hello();
  const std::string half =
      "POST /v1/good/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nha";
  const std::array<std::string, 5> on_plain{"", half, get("/v1/good/later"),
                                            get("/v1/good/slow?ms=20"),
                                            get("/v1/good/large?bytes=1000000")};
  const std::array<std::string, 3> on_tls{"", hello.substr(0, hello.size() / 2), hello};
  const double before = rig.metric(kAccepted);
  constexpr int kRounds = 60;
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& bytes : on_plain) {
      auto client = rig.connect(false);
      REQUIRE(client.send(bytes));
      client.reset();
    }
    for (const auto& bytes : on_tls) {
      WireClient client(rig.port(true));
      REQUIRE(client.send(bytes));
      client.reset();
    }
    auto secure = rig.connect(true);
    REQUIRE(secure.send(i % 2 == 0 ? half : get("/v1/good/stream?channel=news")));
    secure.reset();
  }
  check_unharmed(rig, good);
  const double made = kRounds * static_cast<double>(on_plain.size() + on_tls.size() + 1);
  CHECK(rig.metric(kAccepted) >= before + made);
}

TEST_CASE("one address cannot take the connections of the others", "[hostile]") {
  constexpr std::size_t kMost = 40;
  const Origin flood{.address = "127.0.0.2"};
  HostRig rig("max_connections_per_address = " + std::to_string(kMost) + "\n");
  GoodClients good(rig);
  {
    auto crowd = crowd_of(rig, 5 * kMost, flood);
    CHECK(served_of(crowd, "too_many_connections") == kMost);
    CHECK(handshake_fails(rig, flood));
    CHECK(turned_away(rig, "address") == 4 * kMost + 1);
    CHECK(good.are_served());
  }
  // As soon as it leaves, it may come back.
  CHECK(wait_until(kPatience, [&] {
    auto again = crowd_of(rig, 1, flood);
    return served_of(again, "too_many_connections") == 1;
  }));
  check_unharmed(rig, good);
}

TEST_CASE("a host that is full serves those it has and tells the others when to return",
          "[hostile]") {
  constexpr std::size_t kMost = 120;
  HostRig rig("max_connections_per_address = 0\nmax_connections = " + std::to_string(kMost) + "\n");
  GoodClients good(rig, kLater, {GoodClient::Manner::kStays});
  REQUIRE(good.are_served());
  {
    auto crowd = crowd_of(rig, 3 * kMost);
    const std::size_t room = kMost - good.count() - 1;  // the one that asks for metrics
    CHECK(served_of(crowd, "too_many_connections") == room);
    CHECK(handshake_fails(rig, {}));
    CHECK(turned_away(rig, "total") == static_cast<double>(crowd.size() - room + 1));
    CHECK(good.are_served());
  }
  REQUIRE(wait_until(kPatience, [&] { return rig.connections() == good.count() + 1; }));
  GoodClients late(rig);  // of both manners
  CHECK(late.are_served());
  CHECK(late.stop().empty());
  check_unharmed(rig, good);
}

TEST_CASE("requests beyond what the workers get done are shed, each to another moment",
          "[hostile]") {
  constexpr std::size_t kClients = 200;
  HostRig rig("workers = 2\nmax_waiting = 16\nmax_wait = \"200ms\"\n");
  GoodClients good(rig, "/livez");  // needs none of those workers
  std::vector<WireClient> crowd;
  for (std::size_t i = 0; i < kClients; ++i) {
    crowd.push_back(rig.connect(i % 10 == 0));
  }
  std::size_t served = 0;
  std::size_t shed = 0;
  std::map<std::string, std::size_t> moments;
  for (int round = 0; round < 5; ++round) {
    for (auto& one : crowd) {
      REQUIRE(one.send(get("/v1/good/slow?ms=30")));
    }
    for (auto& one : crowd) {  // over the same connections again: none is closed for it
      const auto answer = one.answer();
      REQUIRE(answer);
      if (answer->status == 200) {
        ++served;
        continue;
      }
      ++shed;
      expect_told_to_return(*answer, "overloaded");
      ++moments[header_of(*answer, "Retry-After")];
    }
  }
  CHECK(served >= 5 * 2);
  CHECK(shed >= 5 * kClients / 2);
  CHECK(rig.refusals("overloaded") == shed);
  CHECK(moments.size() == 5);
  CHECK(std::all_of(moments.begin(), moments.end(),
                    [shed](const auto& moment) { return moment.second > shed / 20; }));
  CHECK(good.are_served());
  crowd.clear();
  GoodClients blocking(rig);  // the workers are free again
  CHECK(blocking.are_served());
  CHECK(blocking.stop().empty());
  check_unharmed(rig, good);
}

TEST_CASE("uploads beyond the bytes the host holds are shed while small requests go on",
          "[hostile]") {
  constexpr double kMost = 64 * 1024 * 1024;
  constexpr std::size_t kBody = 1024 * 1024;
  constexpr std::size_t kFit = 64;
  constexpr std::size_t kClients = 96;
  const std::string held = "plexsphere_http_buffered_bytes";
  HostRig rig("max_buffered_bytes = 67108864\n");
  GoodClients good(rig);
  const std::string upload = post("/v1/good/publish?channel=none", std::string(kBody, 'u'));
  const auto all_but_one = std::string_view(upload).substr(0, upload.size() - 1);
  std::vector<WireClient> crowd;
  for (std::size_t i = 0; i < kClients; ++i) {
    // Over TLS only where there is room for certain: a client of OpenSSL that failed to send does
    // not read what it was told.
    crowd.push_back(rig.connect(i < kFit / 2 && i % 4 == 0));
    (void)crowd.back().send(all_but_one);  // one that is refused stops being read
  }
  CHECK(wait_until(kPatience, [&] { return rig.metric(held) > 0.9 * kMost; }));
  CHECK(rig.metric(held) <= kMost);
  CHECK(good.are_served());
  std::size_t served = 0;
  std::size_t shed = 0;
  for (auto& one : crowd) {
    (void)one.send("u");
    const auto answer = one.answer();
    REQUIRE(answer);
    answer->status == 200 ? ++served : ++shed;
    if (answer->status != 200) {
      expect_told_to_return(*answer, "overloaded");
    }
  }
  CHECK(served > kFit * 3 / 4);
  CHECK(shed >= kClients - kFit);
  CHECK(rig.refusals("buffered_bytes") == shed);
  crowd.clear();
  auto later = rig.connect(false);
  REQUIRE(later.send(upload));
  CHECK(later.answer().value().status == 200);
  later.reset();
  check_unharmed(rig, good);
}

}  // namespace
}  // namespace plexsphere::hostile
