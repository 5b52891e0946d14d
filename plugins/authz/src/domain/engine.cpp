#include "domain/engine.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <set>
#include <utility>

#include "domain/schema.hpp"

namespace plexsphere::authz {
namespace {

class Walk {
 public:
  Walk(const Graph& graph, const Subject& subject) : graph_(graph), subject_(subject) {}

  Verdict from(const Object& object, std::string_view name) {
    reach(kNoStep, object, name, 0, false);
    while (!open_.empty()) {
      const std::size_t at = open_.front();
      open_.pop_front();
      if (visit(at)) {
        return {true, false, path_to(at)};
      }
    }
    return {false, cut_, {}};
  }

 private:
  static constexpr std::size_t kNoStep = static_cast<std::size_t>(-1);

  struct Step {
    Object object;
    std::string name;
    std::size_t previous;
    int depth;
  };

  // True when the step's own tuples or rule name the subject.
  bool visit(std::size_t at) {
    const Step step = steps_[at];
    if (!seen_.insert({step.object, step.name}).second) {
      return false;
    }
    const Rule* rule = find_rule(step.object.type, step.name);
    if (rule == nullptr) {
      return false;
    }
    if (rule->is_relation() && visit_tuples(at, step)) {
      return true;
    }
    return std::ranges::any_of(rule->terms,
                               [&](const Term& term) { return visit_term(at, step, term); });
  }

  bool visit_tuples(std::size_t at, const Step& step) {
    for (const Subject& found : graph_.subjects(step.object, step.name)) {
      if (found == subject_) {
        return true;
      }
      if (found.is_set()) {
        reach(at, found.object, found.relation, step.depth, true);
      }
    }
    return false;
  }

  bool visit_term(std::size_t at, const Step& step, const Term& term) {
    switch (term.kind) {
      case Term::Kind::itself:
        return !subject_.is_set() && subject_.object == step.object;
      case Term::Kind::same:
        reach(at, step.object, term.name, step.depth, false);
        return false;
      case Term::Kind::platform:
        reach(at, platform(), term.name, step.depth, true);
        return false;
      case Term::Kind::arrow:
        for (const Subject& found : graph_.subjects(step.object, term.through)) {
          reach(at, found.object, term.name, step.depth, true);
        }
        return false;
    }
    return false;
  }

  // Steps that stay on the object go to the front, so that steps leave in order of depth.
  void reach(std::size_t previous, const Object& object, std::string_view name, int depth,
             bool deeper) {
    const int new_depth = depth + (deeper ? 1 : 0);
    if (new_depth > kMostDepth) {
      cut_ = true;
      return;
    }
    steps_.push_back({object, std::string(name), previous, new_depth});
    if (deeper) {
      open_.push_back(steps_.size() - 1);
    } else {
      open_.push_front(steps_.size() - 1);
    }
  }

  std::vector<std::string> path_to(std::size_t at) const {
    std::vector<std::string> path;
    for (; at != kNoStep; at = steps_[at].previous) {
      path.push_back(steps_[at].object.text() + "#" + steps_[at].name);
    }
    std::ranges::reverse(path);
    return path;
  }

  const Graph& graph_;
  const Subject& subject_;
  std::vector<Step> steps_;
  std::deque<std::size_t> open_;  // indices into steps_
  std::set<std::pair<Object, std::string>> seen_;
  bool cut_ = false;
};

}  // namespace

Verdict evaluate(const Graph& graph, const Subject& subject, std::string_view name,
                 const Object& object) {
  return Walk(graph, subject).from(object, name);
}

}  // namespace plexsphere::authz
