// PostgreSQL under the plugin's own role: declared statements, transactions, rows.
//
//   Statement find_ = store.read("node.find", "SELECT …", {Type::uuid}, {Type::text});   //
//   configure auto tx = store.begin(); // later auto rows = tx->run(find_, node_id); auto done =
//   tx->commit();
//
// Everything that touches the database blocks: call it on workers or own threads.
#pragma once

#include <chrono>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/abi/store.h"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sdk::inline v1 {

enum class Type : px_type {
  boolean = PX_TYPE_BOOL,
  int64 = PX_TYPE_INT64,
  float64 = PX_TYPE_FLOAT64,
  text = PX_TYPE_TEXT,
  bytes = PX_TYPE_BYTES,
  uuid = PX_TYPE_UUID,
  timestamp = PX_TYPE_TIMESTAMP,
  json = PX_TYPE_JSON,
  int64_array = PX_TYPE_ARRAY + PX_TYPE_INT64,
  text_array = PX_TYPE_ARRAY + PX_TYPE_TEXT,
  bytes_array = PX_TYPE_ARRAY + PX_TYPE_BYTES,
  uuid_array = PX_TYPE_ARRAY + PX_TYPE_UUID,
  timestamp_array = PX_TYPE_ARRAY + PX_TYPE_TIMESTAMP,
  boolean_array = PX_TYPE_ARRAY + PX_TYPE_BOOL,
};

// Text views become TEXT; the host converts TEXT to JSON where the declaration says so. Wrap bytes
// in Bytes{…}. Views must outlive the call that takes the parameter.
struct Bytes {
  std::string_view view;
};

// One parameter. Converts from the types a column can hold, and from optionals of them.
class Param {
 public:
  Param(bool value) : value_(make(PX_TYPE_BOOL)) { value_.v.boolean = value ? 1 : 0; }
  Param(int value) : Param(static_cast<int64_t>(value)) {}
  Param(int64_t value) : value_(make(PX_TYPE_INT64)) { value_.v.integer = value; }
  Param(double value) : value_(make(PX_TYPE_FLOAT64)) { value_.v.real = value; }
  Param(const char* value) : Param(std::string_view(value)) {}
  Param(const std::string& value) : Param(std::string_view(value)) {}
  Param(std::string_view value) : value_(make(PX_TYPE_TEXT)) { value_.v.text = to_wire(value); }
  Param(Bytes value) : value_(make(PX_TYPE_BYTES)) { value_.v.bytes = to_wire_bytes(value.view); }
  Param(const Uuid& value) : value_(make(PX_TYPE_UUID)) { value_.v.uuid = value.wire(); }
  Param(Instant value) : value_(make(PX_TYPE_TIMESTAMP)) { value_.v.integer = to_us(value); }
  Param(std::nullopt_t) : value_(make(PX_TYPE_TEXT)) { value_.is_null = 1; }
  template <typename T>
  Param(const std::optional<T>& value) : Param(value ? Param(*value) : Param(std::nullopt)) {}
  // Arrays: the items must be Params of one type and outlive the call.
  Param(std::span<const Param> items, Type element)
      : value_(make(PX_TYPE_ARRAY + static_cast<px_type>(element))) {
    static_assert(sizeof(Param) == sizeof(px_value));
    value_.v.array = {reinterpret_cast<const px_value*>(items.data()), items.size()};
  }

  const px_value& wire() const { return value_; }

 private:
  static px_value make(px_type type) {
    px_value value{};
    value.type = type;
    return value;
  }
  px_value value_;
};

// One row; views live as long as the Rows it came from. Reading a null as a plain type yields the
// type's zero; use is_null or the optional_… forms where null means something.
class Row {
 public:
  explicit Row(const px_value* cells) : cells_(cells) {}

  bool is_null(std::size_t i) const { return cells_[i].is_null != 0; }
  bool boolean(std::size_t i) const { return !is_null(i) && cells_[i].v.boolean != 0; }
  int64_t integer(std::size_t i) const { return is_null(i) ? 0 : cells_[i].v.integer; }
  double real(std::size_t i) const { return is_null(i) ? 0 : cells_[i].v.real; }
  std::string_view text(std::size_t i) const {
    return is_null(i) ? std::string_view{} : view(cells_[i].v.text);
  }
  std::string string(std::size_t i) const { return std::string(text(i)); }
  std::string_view bytes(std::size_t i) const {
    return is_null(i) ? std::string_view{} : view(cells_[i].v.bytes);
  }
  Uuid uuid(std::size_t i) const { return is_null(i) ? Uuid{} : Uuid(cells_[i].v.uuid); }
  Instant instant(std::size_t i) const { return instant_from_us(integer(i)); }
  std::optional<Instant> optional_instant(std::size_t i) const {
    return is_null(i) ? std::nullopt : std::optional(instant(i));
  }
  std::optional<std::string> optional_string(std::size_t i) const {
    return is_null(i) ? std::nullopt : std::optional(string(i));
  }
  std::optional<Uuid> optional_uuid(std::size_t i) const {
    return is_null(i) ? std::nullopt : std::optional(uuid(i));
  }
  // Items of an array cell, each readable as a one-cell row.
  std::vector<Row> array(std::size_t i) const {
    std::vector<Row> items;
    if (!is_null(i)) {
      const px_array& array = cells_[i].v.array;
      items.reserve(array.count);
      for (uint64_t k = 0; k < array.count; ++k) {
        items.emplace_back(array.items + k);
      }
    }
    return items;
  }

 private:
  const px_value* cells_;
};

// A result. Move-only.
class Rows {
 public:
  Rows(const px_store* table, px_rows* rows) : table_(table), rows_(rows) {}
  Rows(Rows&& other) noexcept : table_(other.table_), rows_(std::exchange(other.rows_, nullptr)) {}
  Rows& operator=(Rows&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(rows_, other.rows_);
    return *this;
  }
  ~Rows() {
    if (rows_ != nullptr) {
      table_->rows_release(rows_);
    }
  }

  std::size_t size() const { return rows_ == nullptr ? 0 : table_->rows_count(rows_); }
  bool empty() const { return size() == 0; }
  // Rows changed by INSERT, UPDATE or DELETE.
  std::size_t affected() const { return rows_ == nullptr ? 0 : table_->rows_affected(rows_); }
  Row operator[](std::size_t i) const { return Row(table_->rows_cells(rows_, i)); }

 private:
  const px_store* table_;
  px_rows* rows_;
};

// A declared statement; copyable handle.
struct Statement {
  uint32_t id = 0;
};

// A transaction, its own or a borrowed one. An own one that ends without commit is rolled back.
class Transaction {
 public:
  // Borrows what a port was handed: never commits or rolls back.
  Transaction(const px_store* table, px_tx* borrowed) : Transaction(table, borrowed, false) {}
  static Transaction own(const px_store* table, px_tx* tx) { return {table, tx, true}; }

  Transaction(Transaction&& other) noexcept
      : table_(other.table_), tx_(std::exchange(other.tx_, nullptr)), owned_(other.owned_) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (owned_ && tx_ != nullptr) {
      table_->rollback(table_->base.self, tx_);
    }
  }

  template <typename... Params>
  Result<Rows> run(Statement statement, const Params&... params) const {
    const std::initializer_list<Param> list{Param(params)...};
    return run_list(statement, std::span<const Param>(list.begin(), list.size()));
  }
  Result<Rows> run_list(Statement statement, std::span<const Param> params) const {
    px_rows* rows = nullptr;
    ErrorSink sink;
    const px_status s = table_->execute(table_->base.self, tx_, statement.id, wire(params),
                                        params.size(), &rows, sink.wire());
    return s == PX_OK ? Result<Rows>(Rows(table_, rows)) : std::move(sink).error(s);
  }
  // Calls `each(Row)` per row in bounded memory until it returns false.
  template <typename Each>
  Status stream(Statement statement, std::span<const Param> params, Each each) const {
    ErrorSink sink;
    return std::move(sink).outcome(table_->stream(
        table_->base.self, tx_, statement.id, wire(params), params.size(), &each,
        [](void* ctx, const px_value* cells, uint64_t) noexcept -> int32_t {
          try {
            return (*static_cast<Each*>(ctx))(Row(cells)) ? 1 : 0;
          } catch (...) {
            return 0;
          }
        },
        sink.wire()));
  }
  // The participant owns `item` on success.
  Status stage(uint32_t participant, void* item) const {
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->stage(table_->base.self, tx_, participant, item, sink.wire()));
  }
  Status commit() {
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->commit(table_->base.self, std::exchange(tx_, nullptr), sink.wire()));
  }

  px_tx* wire() const { return tx_; }

 private:
  Transaction(const px_store* table, px_tx* tx, bool owned)
      : table_(table), tx_(tx), owned_(owned) {}
  static const px_value* wire(std::span<const Param> params) {
    return reinterpret_cast<const px_value*>(params.data());
  }

  const px_store* table_;
  px_tx* tx_;
  bool owned_;
};

class Store {
 public:
  static constexpr std::string_view kName = "px.store/1";
  using Wire = px_store;
  Store() = default;
  explicit Store(const px_store* table) : table_(table) {}

  using Types = std::initializer_list<Type>;
  // [init] A statement that only reads, one that writes, and a call of an own port_… function that
  // may run in another context's transaction.
  Result<Statement> read(std::string_view name, std::string_view sql, Types in, Types out) const {
    return declare(name, sql, in, out, PX_STATEMENT_READ);
  }
  // One that is streamed by COPY; see PX_STATEMENT_COPY.
  Result<Statement> copy(std::string_view name, std::string_view sql, Types in, Types out) const {
    return declare(name, sql, in, out, PX_STATEMENT_READ | PX_STATEMENT_COPY);
  }
  Result<Statement> write(std::string_view name, std::string_view sql, Types in,
                          Types out = {}) const {
    return declare(name, sql, in, out, 0);
  }
  Result<Statement> port(std::string_view name, std::string_view sql, Types in, Types out) const {
    return declare(name, sql, in, out, PX_STATEMENT_PORT);
  }

  Result<Transaction> begin() const { return begin({sizeof(px_tx_options), 0, 0, 0}); }
  Result<Transaction> begin_read() const { return begin({sizeof(px_tx_options), 1, 0, 0}); }
  // Every statement of it sees what the first one saw.
  Result<Transaction> begin_snapshot() const {
    return begin({sizeof(px_tx_options), 1, 0, PX_TX_SNAPSHOT});
  }
  Result<Transaction> begin(const px_tx_options& options) const {
    px_tx* tx = nullptr;
    ErrorSink sink;
    const px_status s = table_->begin(table_->base.self, &options, &tx, sink.wire());
    return s == PX_OK ? Result<Transaction>(Transaction::own(table_, tx))
                      : std::move(sink).error(s);
  }
  Transaction borrow(px_tx* tx) const { return {table_, tx}; }
  const px_store* wire() const { return table_; }

  // One read in a transaction of its own.
  template <typename... Params>
  Result<Rows> read_once(Statement statement, const Params&... params) const {
    auto tx = begin_read();
    if (!tx.ok()) {
      return tx.error();
    }
    return tx->run(statement, params...);
  }

  // [init]
  Result<uint32_t> participate(const px_participant& participant) const {
    uint32_t id = 0;
    ErrorSink sink;
    const px_status s = table_->participate(table_->base.self, &participant, &id, sink.wire());
    return s == PX_OK ? Result<uint32_t>(id) : std::move(sink).error(s);
  }

 private:
  Result<Statement> declare(std::string_view name, std::string_view sql, Types in, Types out,
                            uint32_t flags) const {
    const px_statement wire{sizeof(px_statement),
                            flags,
                            to_wire(name),
                            to_wire(sql),
                            reinterpret_cast<const px_type*>(in.begin()),
                            in.size(),
                            reinterpret_cast<const px_type*>(out.begin()),
                            out.size()};
    Statement statement;
    ErrorSink sink;
    const px_status s = table_->declare(table_->base.self, &wire, &statement.id, sink.wire());
    return s == PX_OK ? Result<Statement>(statement) : std::move(sink).error(s);
  }

  const px_store* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
