#include "support/pg_cluster.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <future>

using plexsphere::test_support::PgCluster;

TEST_CASE("a private cluster answers over its socket and over TCP", "[support][pg]") {
  PgCluster cluster;
  CHECK(cluster.query("SELECT 1 + 1") == "2");
  CHECK(cluster.query("SHOW fsync") == "off");
  CHECK(cluster.query("SHOW listen_addresses") == "127.0.0.1");
  CHECK(cluster.query("SHOW port") == std::to_string(cluster.port()));
  CHECK_THAT(cluster.tcp_dsn("a", "b"),
             Catch::Contains("host=127.0.0.1") && Catch::Contains("user=b"));
}

TEST_CASE("another database and another role can be named", "[support][pg]") {
  PgCluster cluster;
  cluster.create_database("other");
  cluster.query("CREATE ROLE someone LOGIN");
  CHECK(cluster.query("SELECT current_database() || current_user", "other", "someone") ==
        "othersomeone");
  CHECK_THROWS_WITH(cluster.query("CREATE ROLE nobody", "other", "someone"),
                    Catch::Contains("permission denied"));
}

TEST_CASE("a stopped cluster starts again on the same port with its data", "[support][pg]") {
  PgCluster cluster;
  cluster.query("CREATE TABLE kept AS SELECT 42 AS n");
  const auto port = cluster.port();
  cluster.stop(PgCluster::StopMode::kFast);
  CHECK_FALSE(cluster.running());
  CHECK_THROWS(cluster.query("SELECT 1"));
  cluster.start();
  CHECK(cluster.port() == port);
  CHECK(cluster.query("SELECT n FROM kept") == "42");
}

TEST_CASE("a durable cluster keeps what was committed before kill -9", "[support][pg]") {
  PgCluster cluster(PgCluster::durable());
  CHECK(cluster.query("SHOW fsync") == "on");
  cluster.query("CREATE TABLE kept AS SELECT 42 AS n");
  cluster.kill9();
  CHECK_FALSE(cluster.running());
  cluster.start();
  CHECK(cluster.query("SELECT n FROM kept") == "42");
  CHECK_THAT(cluster.log(), Catch::Contains("automatic recovery"));
}

TEST_CASE("further settings reach the server and a bad one is reported from its log",
          "[support][pg]") {
  PgCluster::Options options;
  options.settings = {"work_mem=5MB"};
  CHECK(PgCluster(options).query("SHOW work_mem") == "5MB");
  options.settings = {"no_such_setting=1"};
  CHECK_THROWS_WITH(PgCluster(options), Catch::Contains("no_such_setting"));
}

TEST_CASE("clusters made at the same time do not meet", "[support][pg]") {
  const auto port_seen = [] {
    const PgCluster cluster;
    return cluster.query("SHOW port") == std::to_string(cluster.port());
  };
  auto first = std::async(std::launch::async, port_seen);
  auto second = std::async(std::launch::async, port_seen);
  CHECK(first.get());
  CHECK(second.get());
}

TEST_CASE("the destructor leaves neither directory nor server", "[support][pg]") {
  std::filesystem::path directory;
  pid_t server = -1;
  {
    const PgCluster cluster;
    directory = cluster.socket_directory();
    server =
        std::stoi(plexsphere::test_support::read_file(cluster.data_directory() / "postmaster.pid"));
    CHECK(::kill(server, 0) == 0);
  }
  CHECK_FALSE(std::filesystem::exists(directory));
  CHECK(::kill(server, 0) == -1);
}
