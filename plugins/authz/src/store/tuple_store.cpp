#include "store/tuple_store.hpp"

#include <array>
#include <string>
#include <vector>

namespace plexsphere::authz {
namespace {

using sdk::Param;
using sdk::Type;

// UNION ends on cycles: an object is reached once. "parent" is the only relation that the schema's
// arrows go through.
constexpr std::string_view kLoad = R"sql(
WITH RECURSIVE reach (object_type, object_id) AS (
  SELECT * FROM unnest($1::text[], $2::text[])
  UNION
  SELECT t.subject_type, t.subject_id
  FROM reach r
  JOIN authz.relation_tuples t ON t.object_type = r.object_type AND t.object_id = r.object_id
  WHERE t.relation = 'parent' OR t.subject_relation <> ''
), bounded AS (SELECT * FROM reach LIMIT $5::bigint)
SELECT t.object_type, t.object_id, t.relation, t.subject_type, t.subject_id, t.subject_relation
FROM bounded b
JOIN authz.relation_tuples t ON t.object_type = b.object_type AND t.object_id = b.object_id
WHERE t.relation = 'parent' OR t.subject_relation <> ''
UNION ALL
SELECT t.object_type, t.object_id, t.relation, t.subject_type, t.subject_id, t.subject_relation
FROM bounded b
JOIN authz.relation_tuples t ON t.subject_type = $3::text AND t.subject_id = $4::text
  AND t.object_type = b.object_type AND t.object_id = b.object_id
WHERE NOT (t.relation = 'parent' OR t.subject_relation <> '')
LIMIT $5::bigint)sql";

constexpr std::string_view kIsBound = R"sql(
SELECT EXISTS (SELECT FROM authz.relation_tuples
               WHERE subject_type = $1::text AND subject_id = $2::text
                 AND subject_relation = $3::text))sql";

constexpr std::string_view kWrite =
    "SELECT * FROM authz.port_write($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], "
    "$6::text[])";

constexpr std::string_view kRemove = "SELECT * FROM authz.port_remove_object($1::text, $2::text)";

// One column of a multi-row parameter. Views its texts.
class Column {
 public:
  void add(std::string_view text) { items_.emplace_back(text); }
  Param param() const { return {std::span<const Param>(items_), Type::text}; }

 private:
  std::vector<Param> items_;
};

RelationTuple tuple_of(const sdk::Row& row) {
  return {{row.string(0), row.string(1)},
          row.string(2),
          {{row.string(3), row.string(4)}, row.string(5)}};
}

template <typename T>
sdk::Status keep(sdk::Result<T> result, T& into) {
  if (!result.ok()) {
    return result.error();
  }
  into = *result;
  return {};
}

}  // namespace

sdk::Status TupleStore::declare(const sdk::Store& store) {
  store_ = store;
  const auto text = Type::text;
  const auto texts = Type::text_array;
  const std::array statuses{
      keep(store.read("authz.load", kLoad, {texts, texts, text, text, Type::int64},
                      {text, text, text, text, text, text}),
           load_),
      keep(store.read("authz.is_bound", kIsBound, {text, text, text}, {Type::boolean}), is_bound_),
      keep(store.port("authz.write", kWrite, {texts, texts, texts, texts, texts, texts},
                      {Type::int64}),
           write_),
      keep(store.port("authz.remove_object", kRemove, {text, text}, {Type::int64}), remove_)};
  for (const sdk::Status& status : statuses) {
    if (!status.ok()) {
      return status;
    }
  }
  return {};
}

sdk::Result<Graph> TupleStore::load(const sdk::Transaction& tx, const Subject& subject,
                                    std::span<const Object> objects) const {
  Column types;
  Column ids;
  for (const Object& object : objects) {
    types.add(object.type);
    ids.add(object.id);
  }
  types.add(kPlatformType);
  ids.add(kPlatformId);
  const auto rows = tx.run(load_, types.param(), ids.param(), subject.object.type,
                           subject.object.id, kMostTuples + 1);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->size() > kMostTuples) {
    return sdk::Error{sdk::Code::resource_exhausted, "graph_too_large",
                      "More than 10000 relation tuples lead on from the object."};
  }
  Graph graph;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    graph.add(tuple_of((*rows)[i]));
  }
  return graph;
}

sdk::Result<bool> TupleStore::is_bound(const sdk::Transaction& tx, const Subject& subject) const {
  const auto rows = tx.run(is_bound_, subject.object.type, subject.object.id, subject.relation);
  if (!rows.ok()) {
    return rows.error();
  }
  return !rows->empty() && (*rows)[0].boolean(0);
}

sdk::Status TupleStore::write(const sdk::Transaction& tx,
                              std::span<const RelationTuple> tuples) const {
  std::array<Column, 6> columns;
  for (const RelationTuple& tuple : tuples) {
    columns[0].add(tuple.object.type);
    columns[1].add(tuple.object.id);
    columns[2].add(tuple.relation);
    columns[3].add(tuple.subject.object.type);
    columns[4].add(tuple.subject.object.id);
    columns[5].add(tuple.subject.relation);
  }
  const auto done = tx.run(write_, columns[0].param(), columns[1].param(), columns[2].param(),
                           columns[3].param(), columns[4].param(), columns[5].param());
  return done.ok() ? sdk::Status{} : sdk::Status(done.error());
}

sdk::Status TupleStore::remove_object(const sdk::Transaction& tx, const Object& object) const {
  const auto done = tx.run(remove_, object.type, object.id);
  return done.ok() ? sdk::Status{} : sdk::Status(done.error());
}

}  // namespace plexsphere::authz
