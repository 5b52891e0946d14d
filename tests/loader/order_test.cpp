// Ports between plugins: order, what is missing, circles.
#include <catch2/catch.hpp>

#include "host/loader/dependency_order.hpp"
#include "rig.hpp"

namespace plexsphere::host::loader {
namespace {

using config::Manifest;

Manifest plugin(std::string id, std::vector<std::string> required,
                std::vector<std::string> provided, std::vector<std::string> wanted = {}) {
  Manifest manifest;
  manifest.id = std::move(id);
  manifest.required_ports = std::move(required);
  manifest.provided_ports = std::move(provided);
  manifest.wanted_ports = std::move(wanted);
  return manifest;
}

struct Sorted {
  std::string sequence;
  std::vector<std::string> errors;
};

Sorted sorted(const std::vector<Manifest>& enabled, const std::vector<Manifest>& disabled = {}) {
  std::vector<const Manifest*> on;
  std::vector<const Manifest*> all;
  for (const auto& manifest : enabled) {
    on.push_back(&manifest);
    all.push_back(&manifest);
  }
  for (const auto& manifest : disabled) {
    all.push_back(&manifest);
  }
  const Order order = dependency_order(on, all, {"px.store/1"});
  Sorted out{"", order.errors};
  for (const auto* manifest : order.sequence) {
    out.sequence += manifest->id + " ";
  }
  return out;
}

TEST_CASE("providers come before those who require or want them", "[loader]") {
  CHECK(sorted({plugin("a", {"p.c/1"}, {}), plugin("b", {}, {}, {"p.a/1"}),
                plugin("c", {"px.store/1"}, {"p.c/1"})})
            .sequence == "b c a ");
  CHECK(sorted({plugin("a", {}, {}, {"p.b/1"}), plugin("b", {}, {"p.b/1"})}).sequence == "b a ");
}

TEST_CASE("a circle of wishes is cut, a circle of requirements is refused", "[loader]") {
  CHECK(sorted({plugin("a", {}, {"p.a/1"}, {"p.b/1"}), plugin("b", {}, {"p.b/1"}, {"p.a/1"})})
            .sequence == "a b ");
  const auto circle = sorted({plugin("a", {"p.b/1"}, {"p.a/1"}), plugin("b", {"p.c/1"}, {"p.b/1"}),
                              plugin("c", {"p.b/1"}, {"p.c/1"})});
  REQUIRE(circle.errors.size() == 1);
  CHECK(circle.errors[0].find("'b' → 'c' → 'b'") != std::string::npos);
}

TEST_CASE("a missing port names the plugin to enable, or that none is installed", "[loader]") {
  const auto disabled = sorted({plugin("a", {"p.b/1"}, {})}, {plugin("b", {}, {"p.b/1"})}).errors;
  REQUIRE(disabled.size() == 1);
  CHECK(disabled[0] ==
        "plugin 'a' requires port 'p.b/1', which 'b' provides: set enabled = true "
        "under [context.b], or disable 'a'");
  const auto absent = sorted({plugin("a", {"p.b/2"}, {})}).errors;
  REQUIRE(absent.size() == 1);
  CHECK(absent[0].find("which no installed plugin provides") != std::string::npos);
}

TEST_CASE("two providers of one port are refused", "[loader]") {
  const auto twice = sorted({plugin("a", {}, {"p/1"}), plugin("b", {}, {"p/1"})}).errors;
  REQUIRE(twice.size() == 1);
  CHECK(twice[0].find("provided by both 'a' and 'b'") != std::string::npos);
}

TEST_CASE("a missing port or a circle fails the start before any code is loaded", "[loader]") {
  Rig missing;
  missing.install_manifest("lonely", "[ports]\nrequires = [\"px.friend/1\"]\n");
  missing.install_manifest("friend", "[ports]\nprovides = [\"px.friend/1\"]\n");
  const auto status = missing.run({"lonely"});
  REQUIRE_FALSE(status.ok());
  CHECK(status.message().find("[context.friend]") != std::string::npos);

  Rig circle;
  circle.install_manifest("hen", "[ports]\nrequires = [\"px.egg/1\"]\nprovides = [\"px.hen/1\"]\n");
  circle.install_manifest("egg", "[ports]\nrequires = [\"px.hen/1\"]\nprovides = [\"px.egg/1\"]\n");
  const auto refused = circle.run({"hen", "egg"});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.message().find("in a circle: 'egg' → 'hen' → 'egg'") != std::string::npos);
}

TEST_CASE("a context that is enabled but not installed is an error at its line", "[loader]") {
  Rig rig;
  const auto issues = rig.discover("\n[context.ghost]\nenabled = true\n");
  CHECK(issues.find("plexsphere.toml:2: [context.ghost] is enabled but not installed") !=
        std::string::npos);

  Rig misspelt;
  misspelt.install_manifest("mesh", "");
  const auto hint = misspelt.discover("\n[context.mehs]\nenabled = true\n");
  CHECK(hint.find("did you mean [context.mesh]?") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::host::loader
