#include <catch2/catch.hpp>

#include "domain/capabilities.hpp"
#include "http/intake_requests.hpp"
#include "http/manifest_problem.hpp"

using namespace plexsphere::mesh;

namespace {

const std::string kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const std::string kDigest = "sha256:" + std::string(64, 'a');

CapabilityManifest good() {
  return {"1.0",
          std::string(32, 'c'),
          "SHA256:" + kBase64.substr(0, 43),
          {{"backup", std::string(32, 'h')}},
          {{"scan", kDigest, {{"depth", "2"}}, 30, true}}};
}

template <typename Change>
std::string told(Change change) {
  auto manifest = good();
  change(manifest);
  const auto fault = judge_manifest(manifest);
  if (!fault) {
    return "accepted";
  }
  const auto problem = manifest_problem(*fault);
  return std::to_string(problem.status) + " " + problem.code;
}

std::string refusal(const std::string& members) {
  const auto read = read_manifest(R"({"binary_version":"1.0","binary_checksum":")" + kBase64 +
                                  "\"" + members + "}");
  return read.ok() ? "accepted" : read.error().reason + ": " + read.error().detail;
}

}  // namespace

TEST_CASE("a manifest is judged member by member, each fault with its own code",
          "[mesh][capabilities]") {
  using M = CapabilityManifest;
  CHECK(told([](M&) {}) == "accepted");
  CHECK(told([](M& m) { m = {"1", std::string(32, '\0'), "", {}, {}}; }) == "accepted");
  CHECK(told([](M& m) { m.binary_version = " \t"; }) == "400 binary_version_empty");
  CHECK(told([](M& m) { m.binary_checksum.pop_back(); }) == "400 binary_checksum_invalid");
  CHECK(told([](M& m) { m.ssh_host_key_fingerprint = "MD5:1"; }) ==
        "400 ssh_host_key_fingerprint_invalid");
  CHECK(told([](M& m) { m.declared_hooks[0].name = ""; }) == "400 declared_hook_invalid");
  CHECK(told([](M& m) { m.declared_hooks[0].checksum = "x"; }) == "400 declared_hook_invalid");
  CHECK(told([](M& m) { m.declared_hooks.push_back(m.declared_hooks[0]); }) ==
        "400 declared_hook_duplicate");
  CHECK(told([](M& m) { m.declared_hooks.resize(129); }) == "400 declared_hooks_too_many");
  CHECK(told([](M& m) { m.plexd_hooks[0].image_digest = "sha256:" + std::string(64, 'A'); }) ==
        "422 plexd_hook_invalid");
  CHECK(told([](M& m) { m.plexd_hooks[0].timeout_seconds = -1; }) == "422 plexd_hook_invalid");
  CHECK(told([](M& m) { m.plexd_hooks[0].name = " "; }) == "422 plexd_hook_invalid");
  CHECK(told([](M& m) { m.plexd_hooks.push_back(m.plexd_hooks[0]); }) ==
        "422 plexd_hook_duplicate");
  CHECK(told([](M& m) { m.plexd_hooks.resize(129); }) == "422 plexd_hooks_too_many");
  CHECK(told([](M& m) {
          m.declared_hooks.clear();
          for (int i = 0; i < 128; ++i) {
            m.declared_hooks.push_back({"h" + std::to_string(i), std::string(32, 'h')});
          }
        }) == "accepted");
}

TEST_CASE("a fingerprint is SHA256 and the base64 of 32 bytes", "[mesh][capabilities]") {
  const std::string digits = kBase64.substr(0, 43);
  CHECK(is_fingerprint("SHA256:" + digits));
  CHECK(is_fingerprint("SHA256:" + digits + "="));
  CHECK_FALSE(is_fingerprint("SHA256:" + digits + "=="));
  CHECK_FALSE(is_fingerprint("SHA256:" + digits.substr(1)));
  CHECK_FALSE(is_fingerprint("sha256:" + digits));
  CHECK_FALSE(is_fingerprint("SHA256:" + digits.substr(1) + "-"));
  CHECK_FALSE(is_fingerprint("SHA256:" + digits.substr(1) + "B"));  // bits past the 32 bytes
  CHECK_FALSE(is_fingerprint("SHA256:"));
}

TEST_CASE("a manifest's body is read strictly, hooks included", "[mesh][capabilities]") {
  const auto read = read_manifest(
      R"({"binary_version":"1.0","binary_checksum":")" + kBase64 +
      R"(","declared_hooks":[{"name":"b","checksum":")" + kBase64 +
      R"("}],"plexd_hooks":[{"name":"s","image_digest":")" + kDigest +
      R"(","parameters":{"depth":"2"},"timeout_seconds":30,"sandbox":true},{"name":"t"}]})");
  REQUIRE(read.ok());
  CHECK(read->ssh_host_key_fingerprint.empty());
  REQUIRE(read->declared_hooks.size() == 1);
  CHECK(read->declared_hooks[0].checksum.size() == 32);
  REQUIRE(read->plexd_hooks.size() == 2);
  CHECK(read->plexd_hooks[0].parameters.at("depth") == "2");
  CHECK(read->plexd_hooks[0].timeout_seconds == 30);
  CHECK(read->plexd_hooks[0].sandbox);
  CHECK(read->plexd_hooks[1].image_digest.empty());
  CHECK_FALSE(read->plexd_hooks[1].sandbox);

  const std::string code = "malformed_capabilities_request: ";
  CHECK(refusal("") == "accepted");
  CHECK_THAT(refusal(R"(,"builtin_actions":[])"), Catch::Contains("is not a member"));
  CHECK_THAT(refusal(R"(,"declared_hooks":{})"), Catch::StartsWith(code));
  CHECK_THAT(refusal(R"(,"declared_hooks":[1])"), Catch::Contains("in \"declared_hooks\""));
  CHECK_THAT(refusal(R"(,"declared_hooks":[{"name":"a","path":"/x"}])"),
             Catch::Contains("\"path\" is not a member"));
  CHECK_THAT(refusal(R"(,"plexd_hooks":[{"parameters":{"a":1}}])"), Catch::Contains("strings"));
  CHECK_THAT(refusal(R"(,"plexd_hooks":[{"sandbox":"no"}])"), Catch::Contains("true or false"));
  CHECK_THAT(refusal(R"(,"plexd_hooks":[{"timeout_seconds":1.5}])"), Catch::Contains("integer"));
  CHECK_THAT(refusal(R"(,"ssh_host_key_fingerprint":null)"), Catch::Contains("must be a string"));
}

TEST_CASE("a report has a key of the grammar and a value of at most 4096 bytes", "[mesh][report]") {
  const auto told_of = [](const std::string& key, const std::string& body) {
    const auto read = read_report(key, body);
    return read.ok() ? "accepted" : read.error().reason;
  };
  const auto value = [](const std::string& text) { return R"({"value":")" + text + "\"}"; };
  CHECK(told_of("a", value("")) == "accepted");
  CHECK(told_of("a.b_c-9" + std::string(121, 'x'), value("v")) == "accepted");
  for (const std::string key : {"", "A", "9a", ".a", "a/b", "a b", "ä"}) {
    CAPTURE(key);
    CHECK(told_of(key, value("v")) == "invalid_report");
  }
  CHECK(told_of(std::string(129, 'x'), value("v")) == "invalid_report");
  CHECK(told_of("a", value(std::string(4096, 'x'))) == "accepted");
  CHECK(told_of("a", value(std::string(4097, 'x'))) == "invalid_report");
  std::string umlauts;
  for (int i = 0; i < 2049; ++i) {
    umlauts += "ä";
  }
  CHECK(told_of("a", value(umlauts)) == "invalid_report");  // 4098 bytes
  CHECK(told_of("a", value(umlauts.substr(2))) == "accepted");
  CHECK(told_of("a", "{}") == "invalid_report");
  CHECK(told_of("a", "[") == "invalid_report");
  CHECK(told_of("a", R"({"value":1})") == "invalid_report");
  CHECK(told_of("a", R"({"value":"\u0000"})") == "invalid_report");
  CHECK(told_of("a", R"({"value":"","kind":"data"})") == "invalid_report");
  CHECK(read_report("a", R"({"value":"v"})")->workload_tag == std::nullopt);
  CHECK(read_report("a", R"({"value":"v","workload_tag":"web"})")->workload_tag == "web");
}
