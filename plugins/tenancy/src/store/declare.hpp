// Collects the outcome of declaring statements, so that a store's declare reads as a list.
#pragma once

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::tenancy {

class Declaring {
 public:
  void keep(sdk::Statement& into, const sdk::Result<sdk::Statement>& declared) {
    if (declared.ok()) {
      into = *declared;
    } else if (status_.ok()) {
      status_ = declared.error();
    }
  }
  // The first failure.
  const sdk::Status& status() const { return status_; }

 private:
  sdk::Status status_;
};

}  // namespace plexsphere::tenancy
