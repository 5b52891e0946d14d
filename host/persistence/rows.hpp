// The result of one executed statement, decoded into wire values.
//
// Thread safety: immutable once built; any thread. Ownership: owns the server's result, which text
// cells point into, and the arena of everything decoded.
#pragma once

#include <cstdint>
#include <vector>

#include <pqxx/result.hxx>

#include "host/persistence/catalog.hpp"
#include "host/persistence/wire_value.hpp"

struct px_rows {
 public:
  // Decodes every cell by the statement's declared types.
  // Throws StoreError(PX_INTERNAL, "result_type") when the result has other columns.
  px_rows(pqxx::result result, const plexsphere::host::persistence::Statement& statement);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t affected() const { return affected_; }
  // Requires row < count().
  [[nodiscard]] const px_value* cells(std::uint64_t row) const {
    return cells_.data() + row * width_;
  }
  [[nodiscard]] std::uint64_t width() const { return width_; }

 private:
  pqxx::result result_;
  plexsphere::host::persistence::Arena arena_;
  std::vector<px_value> cells_;
  std::uint64_t count_ = 0;
  std::uint64_t width_ = 0;
  std::uint64_t affected_ = 0;
};

namespace plexsphere::host::persistence {

// Compares the result's columns with the declaration. Throws StoreError(PX_INTERNAL, "result_type")
// naming the statement, the column and both types.
void check_columns(const pqxx::result& result, const Statement& statement);

}  // namespace plexsphere::host::persistence
