#include "app/rows.hpp"

namespace plexsphere::audit {

sdk::Result<Row> row_in(const sdk::Uuid& chain, const Entry& entry, Peppers& peppers) {
  const auto subject = peppers.of(chain, entry.subject_bytes);
  if (!subject.ok()) {
    return subject.error();
  }
  std::optional<std::string> object;
  if (entry.object_bytes) {
    auto named = peppers.of(chain, *entry.object_bytes);
    if (!named.ok()) {
      return named.error();
    }
    object = std::move(*named);
  }
  return make_row(entry, chain, subject.value(), object);
}

std::optional<Row> known_row_in(const sdk::Uuid& chain, const Entry& entry,
                                const Peppers& peppers) {
  const auto subject = peppers.known(chain, entry.subject_bytes);
  const auto object = entry.object_bytes ? peppers.known(chain, *entry.object_bytes) : std::nullopt;
  if (!subject || object.has_value() != entry.object_bytes.has_value()) {
    return std::nullopt;
  }
  return make_row(entry, chain, *subject, object);
}

}  // namespace plexsphere::audit
