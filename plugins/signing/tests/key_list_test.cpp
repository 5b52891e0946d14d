#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "domain/key_set_document.hpp"
#include "journal_tool.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::signing::journal_tool {
namespace {

constexpr std::string_view kDomain = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3";

// A state directory with key sets in it, and what the program says of them.
struct State {
  void write(const std::string& name, const std::string& document) const {
    std::ofstream(directory.path() / name) << std::string(128, 'a') << '\n' << document;
  }
  int list() {
    std::istringstream in;
    std::ostringstream output;
    std::ostringstream errors;
    const int code = journal_tool::run({"keys", directory.path().string()}, in, output, errors);
    out = output.str();
    err = errors.str();
    return code;
  }

  test_support::TempDir directory;
  std::string out;
  std::string err;
};

KeyEntry key(const std::string& id, std::uint8_t filler) {
  KeyEntry entry;
  entry.key_id = id;
  entry.events.fill(0xee);
  entry.checkpoints.fill(filler);
  return entry;
}

constexpr UnixSeconds kNewYear{std::chrono::seconds(1767225600)};  // 2026

// With `k-new` active since a rotation that is open, over `k-old`.
std::string rotating(std::string_view scope) {
  const auto empty = KeySet(Scope::parse(std::string(scope)).value());
  const auto first = empty.open(key("k-old", 0x01), kNewYear, std::chrono::hours(1));
  return encode_key_set(
      first.value().open(key("k-new", 0x02), kNewYear, std::chrono::hours(1)).value());
}

TEST_CASE("the keys of checkpoints are listed as auditors name them", "[signing]") {
  State state;
  state.write("domain-0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3.keyset", rotating(kDomain));
  state.write("platform.keyset", rotating("platform"));
  REQUIRE(state.list() == kIntact);
  // Key ids by another program: sha256(name ‖ 0x0A ‖ 0x01 ‖ key), its first four bytes.
  CHECK(state.out ==
        "plexsphere/audit/domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3+b634ffdf+"
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB rotating 2026-01-01T00:00:00Z\n"
        "plexsphere/audit/domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3+5456bdb2+"
        "AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC active 2026-01-01T00:00:00Z\n"
        "plexsphere/audit/platform+60d46323+"
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB rotating 2026-01-01T00:00:00Z\n"
        "plexsphere/audit/platform+18075f8b+"
        "AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC active 2026-01-01T00:00:00Z\n");
  CHECK(state.err.empty());
}

TEST_CASE("a key set that cannot be read is named, and no key is told", "[signing]") {
  State state;
  CHECK(state.list() == kUnusable);
  CHECK(state.err == state.directory.path().string() + ": holds no key set\n");
  state.write("platform.keyset", rotating("platform"));
  std::ofstream(state.directory.path() / "scope.keyset") << "one line";
  CHECK(state.list() == kUnusable);
  CHECK(state.err == state.directory.path().string() + "/scope.keyset: damaged\n");
  CHECK(state.out.empty());
  state.write("scope.keyset", rotating("platform") + "more\n");
  CHECK(state.list() == kUnusable);
  CHECK(state.err.starts_with(state.directory.path().string() + "/scope.keyset: "));
}

}  // namespace
}  // namespace plexsphere::signing::journal_tool
