// What a pool knows of itself: live addresses, capacity, the threshold it is past.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <thread>

#include "address_calls.hpp"

using namespace plexsphere::mesh::test;

namespace {

struct Taken {
  std::string address;
  int crossed = 0;  // percent; 0: none
};

Taken take(pqxx::transaction_base& tx, const Ask& ask, int node) {
  const auto row = tx.exec_params(
      "SELECT address, coalesce(crossed_percent, 0) "
      "FROM mesh.port_take_address($1, $2, $3, $4, $5, $6)",
      ask.domain, ask.mesh_cidr, ask.sub_range, uuid(node), ask.cool_down_ms, ask.lock_wait_ms)[0];
  return {row[0].as<std::string>(), row[1].as<int>()};
}

Taken take(const MeshDatabase& db, const Ask& ask, int node) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  auto taken = take(tx, ask, node);
  tx.commit();
  return taken;
}

void allocate_as_before(const MeshDatabase& db, const Ask& ask, int node) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  tx.exec_params("SELECT mesh.port_allocate_address($1, $2, $3, $4, $5, $6)", ask.domain,
                 ask.mesh_cidr, ask.sub_range, uuid(node), ask.cool_down_ms, ask.lock_wait_ms);
  tx.commit();
}

// What Nodes `first` to `last` were told: "24:80 28:95".
std::string crossings(const MeshDatabase& db, const Ask& ask, int first, int last) {
  pqxx::connection connection(db.dsn("neighbour"));
  std::string told;
  for (int node = first; node <= last; ++node) {
    pqxx::work tx(connection);
    if (const int percent = take(tx, ask, node).crossed; percent != 0) {
      told += (told.empty() ? "" : " ") + std::to_string(node) + ":" + std::to_string(percent);
    }
    tx.commit();
  }
  return told;
}

void release_all(const MeshDatabase& db, int first, int last) {
  pqxx::connection connection(db.dsn("neighbour"));
  for (int node = first; node <= last; ++node) {
    pqxx::work tx(connection);
    release(tx, node);
    tx.commit();
  }
}

// "pool used/capacity alarm", one each, by pool.
std::string pools(const MeshDatabase& db) {
  return db.admin(
      "SELECT string_agg(format('%s %s/%s %s', pool, used, capacity, alarm_percent), ', ' "
      "ORDER BY domain_id, pool) FROM mesh.address_pool");
}

// What the pools should know, by looking at each address of them: "pool used/capacity". For small
// IPv4 pools only.
constexpr auto kRecount =
    "WITH host AS (SELECT p.domain_id, p.pool, host(network(p.pool))::inet + n AS address, "
    "    n BETWEEN 2 AND s.size - 2 AS usable "
    "  FROM mesh.address_pool p, LATERAL (SELECT (2 ^ (32 - masklen(p.pool)))::int) AS s (size), "
    "    generate_series(0, s.size - 1) n), "
    "home AS (SELECT h.*, a.node_id IS NOT NULL AND a.released_at IS NULL AS live FROM host h "
    "  LEFT JOIN mesh.address a USING (domain_id, address) "
    "  WHERE NOT EXISTS (SELECT FROM mesh.reserved_range r WHERE r.domain_id = h.domain_id "
    "    AND r.range <> h.pool AND r.range >>= h.address)) "
    "SELECT string_agg(format('%s %s/%s', pool, used, capacity), ', ' ORDER BY domain_id, pool) "
    "FROM (SELECT domain_id, pool, count(*) FILTER (WHERE usable) AS capacity, "
    "        count(*) FILTER (WHERE live) AS used FROM home GROUP BY domain_id, pool) AS c "
    "WHERE capacity > 0";

std::string known(const MeshDatabase& db) {
  return db.admin(
      "SELECT string_agg(format('%s %s/%s', pool, used, capacity), ', ' ORDER BY domain_id, pool) "
      "FROM mesh.address_pool WHERE capacity > 0");
}

}  // namespace

TEST_CASE("a pool is told to be past a threshold once, until it was well below", "[mesh][pools]") {
  const MeshDatabase db;
  const Ask ask{"10.0.0.0/27", "", 0};  // 29 addresses: 80 % are 24, 95 % are 28
  CHECK(crossings(db, ask, 1, 29) == "24:80 28:95");
  CHECK(pools(db) == "10.0.0.0/27 29/29 95");

  release_all(db, 27, 29);  // 26 left: below 90 %
  CHECK(pools(db) == "10.0.0.0/27 26/29 80");
  CHECK(crossings(db, ask, 27, 29) == "28:95");

  release_all(db, 22, 29);  // 21 left: below 75 %
  CHECK(pools(db) == "10.0.0.0/27 21/29 0");
  CHECK(crossings(db, ask, 22, 29) == "24:80 28:95");
}

TEST_CASE("one Node that comes and goes at a threshold is told of once", "[mesh][pools]") {
  const MeshDatabase db;
  const Ask wide{"10.0.0.0/27", "", 0};
  CHECK(crossings(db, wide, 1, 24) == "24:80");
  const Ask narrow{"10.1.0.0/29", "", 0, 2'000, uuid(0xd1)};  // each Node is a fifth of it
  CHECK(crossings(db, narrow, 101, 105) == "104:80 105:95");
  for (int round = 0; round < 3; ++round) {
    release_all(db, 24, 24);
    CHECK(crossings(db, wide, 24, 24).empty());
    release_all(db, 105, 105);
    CHECK(crossings(db, narrow, 105, 105).empty());
  }
  release_all(db, 103, 105);
  CHECK(pools(db) == "10.0.0.0/27 24/29 80, 10.1.0.0/29 2/5 0");
}

TEST_CASE("a pool that passes both thresholds at once is told the higher", "[mesh][pools]") {
  const MeshDatabase db;
  CHECK(take(db, {"10.0.0.0/30", ""}, 1).crossed == 95);
}

TEST_CASE("an allocation that is rolled back leaves its threshold to the next", "[mesh][pools]") {
  const MeshDatabase db;
  const Ask ask{"10.0.0.0/29", ""};
  CHECK(crossings(db, ask, 1, 3).empty());
  {
    pqxx::connection connection(db.dsn("neighbour"));
    pqxx::work tx(connection);
    CHECK(take(tx, ask, 4).crossed == 80);
  }
  CHECK(pools(db) == "10.0.0.0/29 3/5 0");
  CHECK(crossings(db, ask, 4, 4) == "4:80");
}

TEST_CASE("the version before counts like this one, and leaves telling to it", "[mesh][pools]") {
  const MeshDatabase db;
  const Ask ask{"10.0.0.0/27", ""};
  for (int node = 1; node <= 25; ++node) {
    allocate_as_before(db, ask, node);
  }
  CHECK(pools(db) == "10.0.0.0/27 25/29 0");
  CHECK(crossings(db, ask, 26, 27) == "26:80");
}

TEST_CASE("whoever writes an address, it is counted", "[mesh][pools]") {
  const MeshDatabase db;
  take(db, {"10.0.0.0/29", ""}, 1);
  // As the functions of the version before do when they waited through the migration.
  db.admin("UPDATE mesh.address SET released_at = now()");
  CHECK(known(db) == "10.0.0.0/29 0/5");
  db.admin("SELECT mesh.claim_address('" + kDomain + "', '10.0.0.0/29', '10.0.0.2', '" + uuid(2) +
           "', '0s'), mesh.claim_address('" + kDomain + "', '10.0.0.0/29', '10.0.0.3', '" +
           uuid(3) + "', '0s')");
  CHECK(known(db) == "10.0.0.0/29 2/5");
}

TEST_CASE("a pool's capacity is what it can give out", "[mesh][pools]") {
  const MeshDatabase db;
  const auto capacity = [&](const std::string& pool) {
    static int number = 0;
    ++number;
    CHECK_NOTHROW(take(db, {pool, "", 0, 2'000, uuid(0xd000 + number)}, number));
    return db.admin("SELECT capacity FROM mesh.address_pool WHERE pool = '" + pool + "'");
  };
  CHECK(capacity("10.0.0.0/30") == "1");
  CHECK(capacity("10.0.0.0/8") == "16777213");
  CHECK(capacity("fd00:0:0:1::/126") == "2");
  CHECK(capacity("fd00:0:0:2::/64") == "18446744073709551614");
  CHECK(capacity("fd00::/8") == "1329227995784915872903807060280344574");
}

TEST_CASE("a capacity above what an integer holds does not disturb an allocation",
          "[mesh][pools]") {
  const MeshDatabase db;
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  CHECK(tx.exec_params("SELECT capacity FROM mesh.port_take_address($1, 'fd00::/8', '', $2, 0, 9)",
                       kDomain, uuid(1))[0][0]
            .as<std::string>() == "9223372036854775807");
}

TEST_CASE("what a Project reserves is its own pool, with the addresses that are live in it",
          "[mesh][pools]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/26", "", 0};
  const Ask sub{"10.0.0.0/26", "10.0.0.0/28", 0};
  for (int node = 1; node <= 4; ++node) {
    take(db, flat, node);
  }
  reserve(db, 0xa1, "10.0.0.0/28");
  CHECK(pools(db) == "10.0.0.0/26 0/47 0, 10.0.0.0/28 4/13 0");
  CHECK(take(db, sub, 5).address == "10.0.0.6");
  CHECK(take(db, flat, 6).address == "10.0.0.16");
  release(db, 2);
  CHECK(pools(db) == "10.0.0.0/26 1/47 0, 10.0.0.0/28 4/13 0");
  reserve(db, 0xa2, "10.0.0.48/28");  // the broadcast address was nobody's before
  CHECK(pools(db) == "10.0.0.0/26 1/32 0, 10.0.0.0/28 4/13 0, 10.0.0.48/28 0/13 0");
  reserve(db, 0xa1, "10.0.0.0/28");  // told again
  reserve(db, 0xa1, "10.0.0.16/28");
  CHECK(pools(db) == "10.0.0.0/26 4/30 0, 10.0.0.16/28 1/13 0, 10.0.0.48/28 0/13 0");
  reserve(db, 0xa1, "");
  reserve(db, 0xa2, "");
  CHECK(pools(db) == "10.0.0.0/26 5/61 0");
}

TEST_CASE("a sub-range that no event told of is a pool of its own beside the Domain's",
          "[mesh][pools]") {
  const MeshDatabase db;
  const Ask flat{"10.0.0.0/26", "", 0};
  const Ask sub{"10.0.0.0/26", "10.0.0.32/28", 0};
  CHECK(take(db, sub, 1).address == "10.0.0.34");
  CHECK(take(db, flat, 2).address == "10.0.0.2");
  CHECK(take(db, sub, 3).address == "10.0.0.35");
  CHECK(take(db, flat, 4).address == "10.0.0.3");
  CHECK(pools(db) == "10.0.0.0/26 2/61 0, 10.0.0.32/28 2/13 0");
}

TEST_CASE("a Domain of another range counts what is in it", "[mesh][pools]") {
  const MeshDatabase db;
  take(db, {"10.0.0.0/28", ""}, 1);
  take(db, {"10.0.0.0/28", ""}, 2);
  CHECK(take(db, {"10.0.0.0/24", ""}, 3).address == "10.0.0.4");
  CHECK(pools(db) == "10.0.0.0/24 3/253 0");
  release(db, 1);
  CHECK(pools(db) == "10.0.0.0/24 2/253 0");
}

TEST_CASE("counts stay right while Nodes come and go and ranges are reserved and freed",
          "[mesh][pools]") {
  const MeshDatabase db;
  std::minstd_rand random(4711);
  const auto below = [&](int limit) { return static_cast<int>(random() % unsigned(limit)); };
  std::set<int> live;
  std::map<int, std::string> reserved;  // by Project
  pqxx::connection connection(db.dsn("neighbour"));
  for (int step = 1; step <= 400; ++step) {
    const int what = below(20);
    const int project = below(4);
    pqxx::work tx(connection);
    if (what == 0) {
      const std::string range = "10.0.0." + std::to_string(16 * project) + "/28";
      const bool freed = reserved.erase(project) > 0;
      reserve(tx, 0xa0 + project, freed ? "" : range);
      if (!freed) {
        reserved[project] = range;
      }
    } else if (what <= 8 && !live.empty()) {
      const auto leaving = std::next(live.begin(), below(static_cast<int>(live.size())));
      release(tx, *leaving);
      live.erase(leaving);
    } else {
      try {
        take(tx, {"10.0.0.0/26", reserved.contains(project) ? reserved[project] : "", 0}, step);
        live.insert(step);
      } catch (const pqxx::sql_error& e) {
        CHECK(e.sqlstate() == "PX001");
        continue;
      }
    }
    tx.commit();
    if (step % 50 == 0) {
      REQUIRE(known(db) == db.admin(kRecount));
    }
  }
  for (int project = 0; project < 4; ++project) {
    reserve(db, 0xa0 + project, "");
  }
  CHECK(known(db) == "10.0.0.0/26 " + std::to_string(live.size()) + "/61");
  const int left = 61 - static_cast<int>(live.size());
  CHECK_NOTHROW(crossings(db, {"10.0.0.0/26", "", 0}, 1001, 1000 + left));  // nothing was lost
}

TEST_CASE("Nodes that come at once are told of each threshold once", "[mesh][pools]") {
  const MeshDatabase db;
  constexpr int kNodes = 61;  // all of a /26
  std::atomic<int> told_80{0};
  std::atomic<int> told_95{0};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 1; i <= kNodes; ++i) {
      threads.emplace_back([&, i] {
        try {
          const int percent = take(db, {"10.0.0.0/26", "", 0, 20'000}, i).crossed;
          told_80 += percent == 80 ? 1 : 0;
          told_95 += percent == 95 ? 1 : 0;
        } catch (const std::exception&) {
          ++failed;
        }
      });
    }
  }
  CHECK(failed == 0);
  CHECK(told_80 == 1);
  CHECK(told_95 == 1);
  CHECK(pools(db) == "10.0.0.0/26 61/61 95");
}

TEST_CASE("counts stay right, and nobody deadlocks, when all of it happens at once",
          "[mesh][pools]") {
  const MeshDatabase db;
  constexpr int kThreads = 6;
  std::atomic<int> unexpected{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int round = 0; round < 10; ++round) {
          const int node = 1 + thread * 1000 + round;
          try {
            if (thread == 0) {
              reserve(db, 0xa1, round % 2 == 0 ? "10.0.0.16/28" : "");
            }
            take(db, {"10.0.0.0/26", "", 0, 20'000}, node);
            release(db, node - round % 3);
          } catch (const pqxx::sql_error& e) {
            unexpected += e.sqlstate() == "PX001" ? 0 : 1;
          }
        }
      });
    }
  }
  CHECK(unexpected == 0);
  CHECK(known(db) == db.admin(kRecount));
}

TEST_CASE("an upgraded database knows its pools", "[mesh][pools]") {
  MeshDatabase db("0004");
  const Ask flat{"10.0.0.0/26", ""};
  for (int node = 1; node <= 3; ++node) {
    allocate_as_before(db, flat, node);
  }
  reserve(db, 0xa1, "10.0.0.0/28");  // with three addresses of the Domain's in it
  reserve(db, 0xa2, "10.0.0.32/28");
  allocate_as_before(db, {"10.0.0.0/26", "10.0.0.0/28"}, 4);
  allocate_as_before(db, {"10.0.0.0/26", "10.0.0.32/28"}, 5);
  allocate_as_before(db, {"10.0.0.0/26", "10.0.0.32/28"}, 6);
  allocate_as_before(db, flat, 7);
  release(db, 2);
  release(db, 6);
  reserve(db, 0xa2, "");  // one address of it live, one released
  allocate_as_before(db, {"fd00::/64", "", 0, 2'000, uuid(0xd1)}, 8);

  db.migrate();
  CHECK(pools(db) == "10.0.0.0/26 2/47 0, 10.0.0.0/28 3/13 0, fd00::/64 1/18446744073709551614 0");
  CHECK(take(db, flat, 9).address == "10.0.0.17");
  CHECK_NOTHROW(crossings(db, {"10.0.0.0/26", "", 0}, 10, 53));  // the released one among them
  CHECK(db.admin("SELECT used FROM mesh.address_pool WHERE pool = '10.0.0.0/26'") == "47");
}

TEST_CASE("Nodes that come and go while a database is upgraded are served and counted",
          "[mesh][pools]") {
  MeshDatabase db("0004");
  const Ask flat{"10.0.0.0/26", "", 0, 20'000};
  allocate_as_before(db, flat, 1);
  std::atomic<bool> upgraded{false};
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 1; thread <= 4; ++thread) {
      threads.emplace_back([&, thread] {
        int node = 1000 * thread;
        for (int left = 5; left > 0; left -= upgraded ? 1 : 0) {
          try {
            allocate_as_before(db, flat, ++node);
            release(db, node - node % 2);
          } catch (const std::exception&) {
            ++failed;
          }
        }
      });
    }
    db.migrate();
    upgraded = true;
  }
  CHECK(failed == 0);
  CHECK(known(db) == db.admin(kRecount));
}

TEST_CASE("the fullest pools come first, with how many are past each threshold", "[mesh][pools]") {
  const MeshDatabase db;
  for (int domain = 1; domain <= 3; ++domain) {  // 1, 4 and 5 of five addresses
    const Ask ask{"10." + std::to_string(domain) + ".0.0/29", "", 0, 2'000, uuid(0xd0 + domain)};
    crossings(db, ask, 100 * domain, 100 * domain + (domain == 1 ? 0 : domain + 1));
  }
  pqxx::connection connection(db.dsn("runtime"));
  pqxx::work tx(connection);
  const auto fullest = [&](int limit) {
    return tx
        .exec_params(
            "SELECT string_agg(concat_ws(' ', right(domain_id::text, 2), pool, used, capacity, "
            "alarm_percent, pools, past_80, past_95), ', ') FROM mesh.fullest_pools($1)",
            limit)[0][0]
        .as<std::string>();
  };
  CHECK(fullest(2) == "d3 10.3.0.0/29 5 5 95 3 2 1, d2 10.2.0.0/29 4 5 80 3 2 1");
  CHECK(fullest(9).find("d1 10.1.0.0/29 1 5 0 3 2 1") != std::string::npos);
}
