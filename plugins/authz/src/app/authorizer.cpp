#include "app/authorizer.hpp"

#include <array>

#include "domain/engine.hpp"
#include "domain/schema.hpp"

namespace plexsphere::authz {
namespace {

using sdk::Code;
using sdk::Error;

Subject subject_of(const sdk::Reference& reference) {
  return {{reference.type, reference.id}, reference.relation};
}

px_reason reason_of(const Verdict& verdict, bool bound) {
  if (verdict.allowed) {
    return PX_REASON_GRANTED;
  }
  if (verdict.cut) {
    return PX_REASON_UNKNOWN;
  }
  return bound ? PX_REASON_INSUFFICIENT_RELATION : PX_REASON_OUT_OF_SCOPE;
}

std::string describe(const sdk::Tuple& tuple) {
  return tuple.object.type + "#" + tuple.relation + "@" + tuple.subject.type +
         (tuple.subject.relation.empty() ? "" : "#" + tuple.subject.relation);
}

}  // namespace

sdk::Status Authorizer::know(std::string_view type, std::string_view name) const {
  if (find_rule(type, name) != nullptr) {
    return {};
  }
  const std::string what = std::string(type) + "#" + std::string(name);
  log_.error("authz.unknown_relation", {{"relation", what}});
  return Error{Code::invalid_argument, "unknown_relation",
               "The authorisation schema has no " + what + "."};
}

sdk::Result<sdk::Decision> Authorizer::check(const sdk::Reference& subject,
                                             std::string_view permission,
                                             const sdk::Reference& object, std::string_view) {
  if (const auto known = know(object.type, permission); !known.ok()) {
    return known.error();
  }
  const Subject who = subject_of(subject);
  const std::array objects{Object{object.type, object.id}};
  auto tx = store_.begin_read();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto graph = store_.load(*tx, who, objects);
  if (!graph.ok()) {
    return graph.error();
  }
  Verdict verdict = evaluate(*graph, who, permission, objects.front());
  bool bound = true;
  if (!verdict.allowed) {
    const auto found = store_.is_bound(*tx, who);
    if (!found.ok()) {
      return found.error();
    }
    bound = *found;
  }
  return sdk::Decision{reason_of(verdict, bound), std::move(verdict.path)};
}

sdk::Result<std::vector<bool>> Authorizer::filter(const sdk::Reference& subject,
                                                  std::string_view permission,
                                                  std::string_view object_type,
                                                  std::span<const std::string> ids) {
  if (const auto known = know(object_type, permission); !known.ok()) {
    return known.error();
  }
  std::vector<Object> objects;
  for (const std::string& id : ids) {
    objects.push_back({std::string(object_type), id});
  }
  if (objects.empty()) {
    return std::vector<bool>{};
  }
  const Subject who = subject_of(subject);
  auto tx = store_.begin_read();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto graph = store_.load(*tx, who, objects);
  if (!graph.ok()) {
    return graph.error();
  }
  std::vector<bool> allowed;
  for (const Object& object : objects) {
    allowed.push_back(evaluate(*graph, who, permission, object).allowed);
  }
  return allowed;
}

sdk::Status Authorizer::write(px_tx* tx, std::span<const sdk::Tuple> tuples) {
  std::vector<RelationTuple> rows;
  for (const sdk::Tuple& tuple : tuples) {
    const Rule* rule = find_rule(tuple.object.type, tuple.relation);
    if (rule == nullptr || !allows_subject(*rule, tuple.subject.type, tuple.subject.relation)) {
      return Error{Code::invalid_argument, "invalid_tuple",
                   "The authorisation schema has no tuple " + describe(tuple) + "."};
    }
    rows.push_back(
        {{tuple.object.type, tuple.object.id}, tuple.relation, subject_of(tuple.subject)});
  }
  return rows.empty() ? sdk::Status{} : store_.write(store_.borrow(tx), rows);
}

sdk::Status Authorizer::remove_object(px_tx* tx, const sdk::Reference& object) {
  return store_.remove_object(store_.borrow(tx), {object.type, object.id});
}

}  // namespace plexsphere::authz
