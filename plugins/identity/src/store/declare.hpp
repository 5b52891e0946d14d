// Declares statements one after the other and remembers the first refusal. [init]
#pragma once

#include <string_view>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

class Declarations {
 public:
  explicit Declarations(const sdk::Store& store) : store_(store) {}

  void read(sdk::Statement& out, std::string_view name, std::string_view sql, sdk::Store::Types in,
            sdk::Store::Types results) {
    keep(out, store_.read(name, sql, in, results));
  }
  void write(sdk::Statement& out, std::string_view name, std::string_view sql, sdk::Store::Types in,
             sdk::Store::Types results = {}) {
    keep(out, store_.write(name, sql, in, results));
  }
  sdk::Status status() && { return std::move(status_); }

 private:
  void keep(sdk::Statement& out, sdk::Result<sdk::Statement> declared) {
    if (declared.ok()) {
      out = *declared;
    } else if (status_.ok()) {
      status_ = declared.error();
    }
  }

  const sdk::Store& store_;
  sdk::Status status_;
};

}  // namespace plexsphere::identity
