#include <catch2/catch.hpp>
#include <map>

#include "operator_credentials.hpp"

using namespace plexsphere;
using namespace plexsphere::identity;

namespace {

// A configuration of texts only.
struct Texts {
  std::map<std::string, std::string, std::less<>> values;
  px_config wire{};

  explicit Texts(std::map<std::string, std::string, std::less<>> texts) : values(std::move(texts)) {
    wire.base = {sizeof(px_config), 1, this};
    wire.get_string = [](void* self, px_str key, px_str* out, px_error*) -> px_status {
      const auto& all = static_cast<Texts*>(self)->values;
      const auto at = all.find(sdk::view(key));
      if (at == all.end()) {
        return PX_NOT_FOUND;
      }
      *out = sdk::to_wire(at->second);
      return PX_OK;
    };
  }
};

std::string refusal(std::map<std::string, std::string, std::less<>> texts) {
  const Texts given(std::move(texts));
  const auto judged = OperatorCredentials::validate(sdk::Config(&given.wire));
  return judged.ok() ? "" : judged.error().reason;
}

}  // namespace

TEST_CASE("a bundle and its trust domain are set together or not at all", "[identity]") {
  const std::string file = "spiffe_bundle_file";
  const std::string domain = "spiffe_trust_domain";
  CHECK(refusal({}).empty());
  CHECK(refusal({{file, "/etc/bundle.json"}, {domain, "example.org"}}).empty());
  CHECK(refusal({{file, "/etc/bundle.json"}}) == "spiffe_settings");
  CHECK(refusal({{domain, "example.org"}}) == "spiffe_settings");
  CHECK(refusal({{file, "/etc/bundle.json"}, {domain, "spiffe://example.org"}}) ==
        "spiffe_trust_domain");
}
