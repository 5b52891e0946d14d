#include "host/persistence/rows.hpp"

#include <string>
#include <utility>

#include <pqxx/result_iterator.hxx>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {

[[noreturn]] void wrong_columns(const Statement& statement, const std::string& why) {
  throw StoreError(PX_INTERNAL, "result_type",
                   "statement '" + statement.context + "." + statement.name + "' " + why);
}

}  // namespace

void check_columns(const pqxx::result& result, const Statement& statement) {
  if (statement.results.empty()) {
    return;  // nobody will look: a function that returns void has a column all the same
  }
  if (static_cast<std::size_t>(result.columns()) != statement.results.size()) {
    wrong_columns(statement, "returns " + std::to_string(result.columns()) +
                                 " columns but declares " +
                                 std::to_string(statement.results.size()));
  }
  for (std::size_t i = 0; i < statement.results.size(); ++i) {
    const auto oid = result.column_type(static_cast<pqxx::row_size_type>(i));
    if (!type_matches(oid, statement.results[i])) {
      wrong_columns(statement, "returns type oid " + std::to_string(oid) + " in column " +
                                   std::to_string(i + 1) + " but declares " +
                                   wire_type_name(statement.results[i]));
    }
  }
}

}  // namespace plexsphere::host::persistence

px_rows::px_rows(pqxx::result result, const plexsphere::host::persistence::Statement& statement)
    : result_(std::move(result)),
      count_(static_cast<std::uint64_t>(result_.size())),
      width_(statement.results.size()),
      affected_(static_cast<std::uint64_t>(result_.affected_rows())) {
  using namespace plexsphere::host::persistence;
  if (static_cast<std::size_t>(result_.columns()) < width_) {
    check_columns(result_, statement);  // throws
  }
  cells_.reserve(count_ * width_);
  for (const auto& row : result_) {
    for (std::size_t i = 0; i < width_; ++i) {
      const auto field = row[static_cast<pqxx::row_size_type>(i)];
      const px_type type = statement.results[i];
      cells_.push_back(field.is_null() ? null_value(type)
                                       : decode_cell({field.c_str(), field.size()}, type, arena_));
    }
  }
}
