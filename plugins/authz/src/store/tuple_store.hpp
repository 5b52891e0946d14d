// Rows of relation tuples. Blocks: call it on workers. Immutable after declare, any thread.
#pragma once

#include <span>

#include "domain/graph.hpp"
#include "domain/relation.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::authz {

class TupleStore {
 public:
  static constexpr int64_t kMostTuples = 10'000;  // one check looks at

  // [init]
  sdk::Status declare(const sdk::Store& store);

  // What a check of `subject` on the objects can come across, in one round trip: from the objects
  // and the platform, everything that leads on (parents, subject sets), and of what was reached
  // every tuple that names the subject. RESOURCE_EXHAUSTED "graph_too_large" beyond kMostTuples.
  sdk::Result<Graph> load(const sdk::Transaction& tx, const Subject& subject,
                          std::span<const Object> objects) const;
  // Whether any tuple at all names the subject.
  sdk::Result<bool> is_bound(const sdk::Transaction& tx, const Subject& subject) const;

  // In another context's transaction. Tuples that exist stay. FAILED_PRECONDITION
  // "platform_tuple_refused" for the platform's own.
  sdk::Status write(const sdk::Transaction& tx, std::span<const RelationTuple> tuples) const;
  sdk::Status remove_object(const sdk::Transaction& tx, const Object& object) const;

  sdk::Result<sdk::Transaction> begin_read() const { return store_.begin_read(); }
  sdk::Transaction borrow(px_tx* tx) const { return store_.borrow(tx); }

 private:
  sdk::Store store_;
  sdk::Statement load_;
  sdk::Statement is_bound_;
  sdk::Statement write_;
  sdk::Statement remove_;
};

}  // namespace plexsphere::authz
