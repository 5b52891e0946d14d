#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "address_calls.hpp"

using namespace plexsphere::mesh::test;

namespace {

constexpr auto kAnError = "";

// SQLSTATE and message of a refused allocation.
std::string refusal(const MeshDatabase& db, const Ask& ask, int node) {
  try {
    return "granted " + allocate(db, ask, node);
  } catch (const pqxx::sql_error& e) {
    const std::string text(e.what());
    const auto message = text.find_first_not_of(" ", text.find(":") + 1);
    return e.sqlstate() + " " + text.substr(message, text.find('\n') - message);
  }
}

}  // namespace

TEST_CASE("a pool gives its addresses in order and leaves out network, first host and broadcast",
          "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask slash29{"10.0.0.0/29", ""};
  CHECK(allocate(db, slash29, 1) == "10.0.0.2");
  for (int node = 2; node <= 5; ++node) {
    CHECK(allocate(db, slash29, node) == "10.0.0." + std::to_string(node + 1));
  }
  CHECK(refusal(db, slash29, 6) == "PX001 pool_exhausted");

  const Ask tiny{"10.1.0.0/30", "", 86'400'000, 2'000, uuid(0xd1)};
  CHECK(allocate(db, tiny, 7) == "10.1.0.2");
  CHECK(refusal(db, tiny, 8) == "PX001 pool_exhausted");
  CHECK(refusal(db, {"10.2.0.0/31", "", 0, 2'000, uuid(0xd2)}, 9) == "PX001 pool_exhausted");
  CHECK(refusal(db, {"10.2.0.4/32", "", 0, 2'000, uuid(0xd3)}, 9) == "PX001 pool_exhausted");
}

TEST_CASE("an IPv6 pool gives canonical text and keeps its last address", "[mesh][ipam]") {
  const MeshDatabase db;
  CHECK(allocate(db, {"fd00:0:0:1::/64", ""}, 1) == "fd00:0:0:1::2");
  const Ask slash126{"fd00:0:0:2::/126", "", 86'400'000, 2'000, uuid(0xd1)};
  CHECK(allocate(db, slash126, 2) == "fd00:0:0:2::2");
  CHECK(allocate(db, slash126, 3) == "fd00:0:0:2::3");
  CHECK(refusal(db, slash126, 4) == "PX001 pool_exhausted");
}

TEST_CASE("a released address cools down, then comes back, the longest released first",
          "[mesh][ipam]") {
  const MeshDatabase db;
  Ask ask{"10.0.0.0/29", ""};
  for (int node = 1; node <= 5; ++node) {
    allocate(db, ask, node);
  }
  release(db, 4);
  release(db, 2);
  CHECK(refusal(db, ask, 6) == "PX001 pool_exhausted");
  ask.cool_down_ms = 0;
  CHECK(allocate(db, ask, 6) == "10.0.0.5");
  CHECK(allocate(db, ask, 7) == "10.0.0.3");
  CHECK(refusal(db, ask, 8) == "PX001 pool_exhausted");
}

TEST_CASE("a Node holds one address at a time", "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask ask{"10.0.0.0/24", ""};
  CHECK(allocate(db, ask, 1) == "10.0.0.2");
  CHECK(refusal(db, ask, 1).rfind("23505", 0) == 0);
  release(db, 1);
  CHECK(allocate(db, ask, 1) == "10.0.0.3");
}

TEST_CASE("a rolled back allocation takes nothing", "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask ask{"10.0.0.0/29", ""};
  {
    pqxx::connection connection(db.dsn("neighbour"));
    pqxx::work tx(connection);
    CHECK(allocate(tx, ask, 1) == "10.0.0.2");
  }
  CHECK(allocate(db, ask, 2) == "10.0.0.2");
}

TEST_CASE("a Domain's own pool leaves out what its Projects reserved", "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/27", ""};
  CHECK(allocate(db, flat, 1) == "10.0.0.2");
  reserve(db, 0xa1, "10.0.0.0/29");
  reserve(db, 0xa2, "10.0.0.8/29");
  CHECK(allocate(db, flat, 2) == "10.0.0.16");

  const Ask sub{"10.0.0.0/27", "10.0.0.0/29"};
  CHECK(allocate(db, sub, 3) == "10.0.0.3");  // .2 is held since before the range was reserved
  for (int node = 4; node <= 6; ++node) {
    allocate(db, sub, node);
  }
  CHECK(refusal(db, sub, 7) == "PX001 subrange_exhausted");
  CHECK(refusal(db, {"10.0.0.0/27", "10.9.0.0/29"}, 8) == "PX001 subrange_outside_pool");

  reserve(db, 0xa2, "");
  CHECK(allocate(db, flat, 9) == "10.0.0.8");
  reserve(db, 0xa1, "10.0.0.0/29");  // told again: nothing changes
  CHECK(allocate(db, flat, 10) == "10.0.0.9");
}

TEST_CASE("a Domain whose Projects reserved all there is has no address of its own to give",
          "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/29", "", 0};
  reserve(db, 0xa1, "10.0.0.0/29");
  CHECK(refusal(db, flat, 1) == "PX001 pool_exhausted");
  CHECK(allocate(db, {"10.0.0.0/29", "10.0.0.0/29"}, 2) == "10.0.0.2");
  reserve(db, 0xa1, "10.0.0.0/30");
  reserve(db, 0xa2, "10.0.0.4/30");
  CHECK(refusal(db, flat, 3) == "PX001 pool_exhausted");
  reserve(db, 0xa2, "");
  CHECK(allocate(db, flat, 4) == "10.0.0.4");
}

TEST_CASE("what was given in a range and released is the Domain's again when the range is",
          "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/28", "", 0};
  const Ask sub{"10.0.0.0/28", "10.0.0.8/29", 0};
  CHECK(allocate(db, flat, 1) == "10.0.0.2");
  reserve(db, 0xa1, "10.0.0.8/29");
  CHECK(allocate(db, sub, 2) == "10.0.0.10");
  CHECK(allocate(db, sub, 3) == "10.0.0.11");
  release(db, 2);
  reserve(db, 0xa1, "");
  // Never given first, past the run that is known; then what was released, wherever it was given.
  int node = 10;
  for (const int host : {3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 10}) {
    CHECK(allocate(db, flat, node++) == "10.0.0." + std::to_string(host));
  }
  release(db, 3);
  CHECK(allocate(db, flat, node++) == "10.0.0.11");
  CHECK(refusal(db, flat, node) == "PX001 pool_exhausted");
}

TEST_CASE("an address released into a range that was reserved meanwhile is not given to others",
          "[mesh][ipam]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/29", "", 0};
  for (int node = 1; node <= 5; ++node) {
    allocate(db, flat, node);
  }
  reserve(db, 0xa1, "10.0.0.2/31");
  release(db, 1);
  CHECK(refusal(db, flat, 6) == "PX001 pool_exhausted");
  release(db, 5);
  CHECK(allocate(db, flat, 7) == "10.0.0.6");
}

TEST_CASE("who waits too long for the Domain's lock is told so, and other Domains do not wait",
          "[mesh][ipam]") {
  const MeshDatabase db;
  pqxx::connection holder(db.dsn("neighbour"));
  pqxx::work held(holder);
  allocate(held, {"10.0.0.0/24", ""}, 1);
  CHECK(refusal(db, {"10.0.0.0/24", "", 86'400'000, 50}, 2).rfind("55P03", 0) == 0);
  CHECK(allocate(db, {"10.1.0.0/24", "", 86'400'000, 50, uuid(0xd1)}, 3) == "10.1.0.2");
  held.commit();
  CHECK(allocate(db, {"10.0.0.0/24", "", 86'400'000, 50}, 2) == "10.0.0.3");
}

TEST_CASE("the wait budget does not outlive the call", "[mesh][ipam]") {
  const MeshDatabase db;
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  tx.exec("SET LOCAL lock_timeout = '7s'");
  allocate(tx, {"10.0.0.0/24", "", 86'400'000, 50}, 1);
  CHECK(tx.exec("SHOW lock_timeout")[0][0].as<std::string>() == "7s");
}

TEST_CASE("fifty Nodes at once get fifty different addresses", "[mesh][ipam]") {
  const MeshDatabase db;
  constexpr int kNodes = 50;
  std::vector<std::string> got(kNodes);
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kNodes; ++i) {
    threads.emplace_back([&, i] {
      try {
        pqxx::connection connection(db.dsn("neighbour"));
        ++ready;
        while (ready < kNodes) {
          std::this_thread::yield();
        }
        pqxx::work tx(connection);
        auto address = allocate(tx, {"10.0.0.0/24", "", 86'400'000, 20'000}, i + 1);
        tx.commit();
        got[static_cast<std::size_t>(i)] = address;
      } catch (const std::exception& e) {
        ++ready;
        got[static_cast<std::size_t>(i)] = kAnError;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  const std::set<std::string> different(got.begin(), got.end());
  CHECK(different.size() == kNodes);
  CHECK(different.count(kAnError) == 0);
}

TEST_CASE("a race for a /29 ends with five winners and exact refusals for the rest",
          "[mesh][ipam]") {
  const MeshDatabase db;
  std::atomic<int> won{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      const auto outcome = refusal(db, {"10.0.0.0/29", "", 86'400'000, 20'000}, i + 1);
      won += outcome.rfind("granted", 0) == 0 ? 1 : 0;
      refused += outcome == "PX001 pool_exhausted" ? 1 : 0;
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(won == 5);
  CHECK(refused == 15);
  CHECK(db.admin("SELECT count(DISTINCT address) FROM mesh.address") == "5");
}

TEST_CASE("nobody touches the pool but through its functions, and those only with the port's role",
          "[mesh][ipam]") {
  const MeshDatabase db;
  for (const auto* who : {"neighbour", "runtime", "stranger"}) {
    pqxx::connection connection(db.dsn(who));
    for (const auto* table : {"mesh.address", "mesh.address_pool", "mesh.reserved_range"}) {
      pqxx::work tx(connection);
      CHECK_THROWS_AS(tx.exec(std::string("SELECT FROM ") + table), pqxx::insufficient_privilege);
    }
  }
  pqxx::connection connection(db.dsn("stranger"));
  pqxx::work tx(connection);
  CHECK_THROWS_AS(allocate(tx, {"10.0.0.0/29", ""}, 1), pqxx::insufficient_privilege);
}
