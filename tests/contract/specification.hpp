// Contract tests as tables: what is asked, by whom, and the outcome that the contract names.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "contract/client.hpp"

namespace plexsphere::contract {

struct Row {
  std::string wanted;  // outcome: "404 resource_not_found", "201"
  Client client;
  std::string method;
  std::string target;
  std::string body = {};  // as it stands; empty for none
};

// Asks for every row in turn, and names the row in each failure.
inline void hold(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.method << " " << row.target << " " << row.body.substr(0, 300));
    CHECK(row.client.send(row.method, row.target, row.body).outcome() == row.wanted);
  }
}

// `good` with one member replaced, as text.
inline std::string with(nlohmann::json good, const std::string& member, nlohmann::json value) {
  good[member] = std::move(value);
  return good.dump();
}
inline std::string without(nlohmann::json good, const std::string& member) {
  good.erase(member);
  return good.dump();
}

}  // namespace plexsphere::contract
