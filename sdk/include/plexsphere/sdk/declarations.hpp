// Declares statements one after the other and remembers the first refusal, so that a store lists
// its statements as a table and checks once.
//
//   Declarations declare(store);
//   declare.read(find_, "node.find", "SELECT …", {Type::uuid}, {Type::text});
//   return std::move(declare).status();
#pragma once

#include <string_view>
#include <utility>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

// One thread, [init]. `store` must outlive it.
class Declarations {
 public:
  explicit Declarations(const Store& store) : store_(store) {}

  void read(Statement& out, std::string_view name, std::string_view sql, Store::Types in,
            Store::Types results) {
    keep(out, store_.read(name, sql, in, results));
  }
  void write(Statement& out, std::string_view name, std::string_view sql, Store::Types in,
             Store::Types results = {}) {
    keep(out, store_.write(name, sql, in, results));
  }
  void port(Statement& out, std::string_view name, std::string_view sql, Store::Types in,
            Store::Types results) {
    keep(out, store_.port(name, sql, in, results));
  }
  Status status() && { return std::move(status_); }

 private:
  void keep(Statement& out, Result<Statement> declared) {
    if (declared.ok()) {
      out = *declared;
    } else if (status_.ok()) {
      status_ = declared.error();
    }
  }

  const Store& store_;
  Status status_;
};

}  // namespace plexsphere::sdk::inline v1
