// Reads the rows of a binary COPY (PostgreSQL 15, "COPY", Binary Format) as wire values.
//
// Thread safety: none. Ownership: text and bytes of a row point into the message it came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/persistence/catalog.hpp"

namespace plexsphere::host::persistence {

class CopyReader {
 public:
  explicit CopyReader(const Statement& statement);

  // Takes one CopyData message, in which the server sends one row; the first has the file's header
  // before it, the last is its trailer. The row's cells, valid until the next call and as long as
  // the message; empty for the trailer.
  // Throws StoreError(PX_INTERNAL, "result_type") for what is not the declared row.
  [[nodiscard]] std::span<const px_value> read(std::string_view message);

 private:
  [[noreturn]] void wrong(const std::string& why) const;
  std::string_view take(std::size_t bytes);
  template <typename Number>
  Number number();
  void read_cell(px_value& cell);

  const Statement& statement_;
  std::vector<px_value> cells_;
  std::string_view left_;
  bool begun_ = false;
};

// True where the wire type has one binary form, and SQL's type `oid` travels in it.
[[nodiscard]] bool copies_as(std::uint32_t oid, px_type declared);
[[nodiscard]] bool may_be_copied(px_type declared);

// The SELECT of a statement as the text of a COPY, which takes no parameters: their texts stand in
// it as constants of no type, so that each takes the type its parameter took. Requires
// standard_conforming_strings, which a Session sets.
[[nodiscard]] std::string copy_text(std::string_view sql,
                                    const std::vector<std::optional<std::string>>& parameters);

}  // namespace plexsphere::host::persistence
