#include "domain/engine.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "domain/schema.hpp"

namespace plexsphere::authz {
namespace {

const Subject kAda{{"user", "ada"}};

RelationTuple tuple(Object object, std::string relation, Object subject, std::string set = {}) {
  return {std::move(object), std::move(relation), {std::move(subject), std::move(set)}};
}

// A Domain d with Project p, and in it Resource r, Node n and token t.
std::vector<RelationTuple> tree() {
  return {tuple({"domain", "d"}, "parent", platform()),
          tuple({"project", "p"}, "parent", {"domain", "d"}),
          tuple({"resource", "r"}, "parent", {"project", "p"}),
          tuple({"node", "n"}, "parent", {"project", "p"}),
          tuple({"bootstrap_token", "t"}, "parent", {"project", "p"})};
}

bool allowed(const std::vector<RelationTuple>& tuples, std::string_view name, const Object& object,
             const Subject& subject = kAda) {
  return evaluate(Graph(tuples), subject, name, object).allowed;
}

std::vector<RelationTuple> with(std::vector<RelationTuple> tuples, RelationTuple more) {
  tuples.push_back(std::move(more));
  return tuples;
}

// The reference: every object#name the subject has, found bottom-up by applying the rules' meaning
// until nothing is added. No paths, no depth, no order.
class Naive {
 public:
  Naive(const std::vector<RelationTuple>& tuples, const Subject& subject,
        const std::set<Object>& objects)
      : tuples_(tuples), subject_(subject), objects_(objects) {
    while (round()) {
    }
  }
  bool has(const Object& object, std::string_view name) const {
    return held_.contains({object, std::string(name)});
  }

 private:
  bool round() {
    bool grew = false;
    for (const Object& object : objects_) {
      for (const Rule& rule : all_rules()) {
        if (rule.type == object.type && !has(object, rule.name) && follows(object, rule)) {
          grew = held_.insert({object, std::string(rule.name)}).second || grew;
        }
      }
    }
    return grew;
  }
  bool follows(const Object& object, const Rule& rule) const {
    bool yes = false;
    for (const RelationTuple& t : tuples_) {
      if (t.object != object) {
        continue;
      }
      yes = yes || (rule.is_relation() && t.relation == rule.name &&
                    (t.subject == subject_ ||
                     (t.subject.is_set() && has(t.subject.object, t.subject.relation))));
      for (const Term& term : rule.terms) {
        yes = yes || (term.kind == Term::Kind::arrow && t.relation == term.through &&
                      has(t.subject.object, term.name));
      }
    }
    for (const Term& term : rule.terms) {
      yes = yes || (term.kind == Term::Kind::same && has(object, term.name)) ||
            (term.kind == Term::Kind::platform && has(platform(), term.name)) ||
            (term.kind == Term::Kind::itself && subject_ == Subject{object});
    }
    return yes;
  }

  const std::vector<RelationTuple>& tuples_;
  const Subject& subject_;
  const std::set<Object>& objects_;
  std::set<std::pair<Object, std::string>> held_;
};

const std::vector<std::string> kTypes{"platform", "domain",          "project",          "resource",
                                      "node",     "bootstrap_token", "service-identity", "group"};

// A few objects of each type, so that random tuples meet, share groups and close cycles.
std::set<Object> small_world() {
  std::set<Object> objects{platform()};
  for (const std::string& type : kTypes) {
    for (const char* id : {"1", "2", "3"}) {
      if (type != kPlatformType) {
        objects.insert({type, id});
      }
    }
  }
  return objects;
}

// Any tuple that the schema lets somebody write.
RelationTuple random_tuple(std::mt19937& random, const std::set<Object>& objects) {
  const std::vector<Object> list(objects.begin(), objects.end());
  const auto pick = [&](std::size_t size) { return random() % size; };
  for (;;) {
    const Rule& rule = all_rules()[pick(all_rules().size())];
    if (!rule.is_relation()) {
      continue;
    }
    const std::string_view kind = rule.subjects[pick(rule.subjects.size())];
    const std::string type(kind.substr(0, kind.find('#')));
    std::string set = kind.find('#') == std::string_view::npos
                          ? std::string{}
                          : std::string(kind.substr(kind.find('#') + 1));
    const Object subject =
        type == kPlatformType ? platform() : Object{type, std::to_string(1 + pick(3))};
    std::vector<Object> candidates;
    for (const Object& object : list) {
      if (object.type == rule.type) {
        candidates.push_back(object);
      }
    }
    return tuple(candidates[pick(candidates.size())], std::string(rule.name), subject,
                 std::move(set));
  }
}

}  // namespace

TEST_CASE("a subject without tuples has nothing anywhere, whatever is asked", "[authz]") {
  const Graph graph(tree());
  for (const Rule& rule : all_rules()) {
    const Object object =
        rule.type == kPlatformType ? platform() : Object{std::string(rule.type), "d"};
    CHECK_FALSE(evaluate(graph, kAda, rule.name, object).allowed);
  }
}

TEST_CASE("a Domain's owner manages what is in it and nothing of another Domain", "[authz]") {
  const auto tuples = with(tree(), tuple({"domain", "d"}, "owner", kAda.object));
  CHECK(allowed(tuples, "manage", {"domain", "d"}));
  CHECK(allowed(tuples, "domain-edit", {"domain", "d"}));
  CHECK(allowed(tuples, "deploy", {"project", "p"}));
  CHECK(allowed(tuples, "maintainer", {"resource", "r"}));
  CHECK(allowed(tuples, "node-operate", {"node", "n"}));
  CHECK(allowed(tuples, "manage", {"bootstrap_token", "t"}));
  CHECK_FALSE(allowed(tuples, "auditor", {"domain", "d"}));
  CHECK_FALSE(allowed(tuples, "read", {"domain", "e"}));
  CHECK_FALSE(allowed(tuples, "manage", platform()));
}

TEST_CASE("a member reads and does not change; an operator deploys and does not manage",
          "[authz]") {
  const auto member = with(tree(), tuple({"project", "p"}, "member", kAda.object));
  CHECK(allowed(member, "read", {"project", "p"}));
  CHECK(allowed(member, "observe", {"resource", "r"}));
  CHECK(allowed(member, "read", {"bootstrap_token", "t"}));
  CHECK_FALSE(allowed(member, "deploy", {"project", "p"}));
  CHECK_FALSE(allowed(member, "manage", {"bootstrap_token", "t"}));
  CHECK_FALSE(allowed(member, "read", {"domain", "d"}));
  const auto op = with(tree(), tuple({"project", "p"}, "operator", kAda.object));
  CHECK(allowed(op, "deploy", {"project", "p"}));
  CHECK(allowed(op, "act", {"resource", "r"}));
  CHECK_FALSE(allowed(op, "manage", {"project", "p"}));
}

TEST_CASE("the platform is an ancestor of ids that do not exist", "[authz]") {
  const std::vector<RelationTuple> tuples{tuple(platform(), "admin", kAda.object)};
  CHECK(allowed(tuples, "manage", {"domain", "nowhere"}));
  CHECK(allowed(tuples, "observe", {"resource", "nowhere"}));
  CHECK(allowed(tuples, "read", {"node", "nowhere"}));
  CHECK_FALSE(allowed(tuples, "auditor", {"domain", "nowhere"}));
}

TEST_CASE("a Node is its own agent and no other Node's", "[authz]") {
  const Subject node{{"node", "n"}};
  CHECK(allowed(tree(), "node-agent", {"node", "n"}, node));
  CHECK_FALSE(allowed(tree(), "node-agent", {"node", "m"}, node));
  CHECK_FALSE(allowed(tree(), "read", {"node", "n"}, node));
  CHECK_FALSE(allowed(tree(), "node-agent", {"node", "n"}, {{"node", "n"}, "member"}));
}

TEST_CASE("the path leads from the question to the tuple that granted", "[authz]") {
  auto tuples = with(tree(), tuple({"domain", "d"}, "admin", {"group", "ops"}, "member"));
  tuples.push_back(tuple({"group", "ops"}, "member", kAda.object));
  const Verdict verdict = evaluate(Graph(tuples), kAda, "deploy", {"project", "p"});
  CHECK(verdict.allowed);
  CHECK(verdict.path == std::vector<std::string>{"project:p#deploy", "project:p#manage",
                                                 "domain:d#manage", "domain:d#admin",
                                                 "group:ops#member"});
}

TEST_CASE("groups that contain each other end the walk instead of the program", "[authz]") {
  auto tuples = with(tree(), tuple({"project", "p"}, "admin", {"group", "a"}, "member"));
  tuples.push_back(tuple({"group", "a"}, "member", {"group", "b"}, "member"));
  tuples.push_back(tuple({"group", "b"}, "member", {"group", "a"}, "member"));
  CHECK_FALSE(allowed(tuples, "manage", {"project", "p"}));
  tuples.push_back(tuple({"group", "b"}, "member", kAda.object));
  CHECK(allowed(tuples, "manage", {"project", "p"}));
}

TEST_CASE("thirty-two steps are followed, the thirty-third denies and says it was cut", "[authz]") {
  const auto chain = [](int groups) {
    std::vector<RelationTuple> tuples{tuple({"project", "p"}, "admin", {"group", "1"}, "member")};
    for (int i = 1; i < groups; ++i) {
      tuples.push_back(tuple({"group", std::to_string(i)}, "member",
                             {"group", std::to_string(i + 1)}, "member"));
    }
    tuples.push_back(tuple({"group", std::to_string(groups)}, "member", kAda.object));
    return tuples;
  };
  CHECK(allowed(chain(32), "manage", {"project", "p"}));
  const Verdict beyond = evaluate(Graph(chain(33)), kAda, "manage", {"project", "p"});
  CHECK_FALSE(beyond.allowed);
  CHECK(beyond.cut);
  CHECK(beyond.path.empty());
}

TEST_CASE("a name the type does not have, and a stray tuple of it, grant nothing", "[authz]") {
  CHECK_FALSE(
      allowed({tuple({"project", "p"}, "wizard", kAda.object)}, "wizard", {"project", "p"}));
  CHECK_FALSE(
      allowed({tuple({"project", "p"}, "manage", kAda.object)}, "manage", {"project", "p"}));
  CHECK_FALSE(allowed({tuple({"castle", "c"}, "member", kAda.object)}, "member", {"castle", "c"}));
}

TEST_CASE("the engine agrees with a naive evaluator on random tuples, cycles included",
          "[authz][property]") {
  const std::set<Object> objects = small_world();
  const std::vector<Subject> askers{
      {{"user", "1"}}, {{"service-identity", "2"}}, {{"node", "1"}}, {{"group", "1"}, "member"}};
  int grants = 0;
  int denials = 0;
  for (unsigned seed = 1; seed <= 150; ++seed) {
    std::mt19937 random(seed);
    std::vector<RelationTuple> tuples;
    const std::size_t count = 1 + random() % 30;
    for (std::size_t i = 0; i < count; ++i) {
      tuples.push_back(random_tuple(random, objects));
    }
    const Graph graph(tuples);
    const Subject& asker = askers[seed % askers.size()];
    const Naive naive(tuples, asker, objects);
    for (const Object& object : objects) {
      for (const Rule& rule : all_rules()) {
        if (rule.type != object.type) {
          continue;
        }
        const Verdict verdict = evaluate(graph, asker, rule.name, object);
        INFO("seed " << seed << ": " << object.text() << "#" << rule.name);
        REQUIRE(verdict.allowed == naive.has(object, rule.name));
        REQUIRE(verdict.path.empty() != verdict.allowed);
        (verdict.allowed ? grants : denials) += 1;
      }
    }
  }
  CHECK(grants > 1000);
  CHECK(denials > 1000);
}

TEST_CASE("every term of the schema leads to a name that exists", "[authz][schema]") {
  for (const Rule& rule : all_rules()) {
    CHECK(find_rule(rule.type, rule.name) == &rule);
    for (const Term& term : rule.terms) {
      INFO(rule.type << "#" << rule.name << " -> " << term.name);
      if (term.kind == Term::Kind::same) {
        CHECK(find_rule(rule.type, term.name) != nullptr);
      } else if (term.kind == Term::Kind::platform) {
        CHECK(find_rule("platform", term.name) != nullptr);
      } else if (term.kind == Term::Kind::arrow) {
        const Rule* through = find_rule(rule.type, term.through);
        REQUIRE(through != nullptr);
        for (const std::string_view target : through->subjects) {
          CHECK(find_rule(target, term.name) != nullptr);
        }
      }
    }
  }
}

TEST_CASE("only subjects the schema names may be written", "[authz][schema]") {
  const Rule& admin = *find_rule("domain", "admin");
  CHECK(allows_subject(admin, "user", ""));
  CHECK(allows_subject(admin, "group", "member"));
  CHECK_FALSE(allows_subject(admin, "group", ""));
  CHECK_FALSE(allows_subject(admin, "node", ""));
  CHECK_FALSE(allows_subject(*find_rule("domain", "manage"), "user", ""));
}

}  // namespace plexsphere::authz
