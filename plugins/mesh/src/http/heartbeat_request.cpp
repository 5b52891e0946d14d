#include "http/heartbeat_request.hpp"

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::mesh {
namespace {

constexpr std::size_t kMaxText = 4096;  // characters

// PostgreSQL's jsonb cannot hold U+0000.
bool holds_nul(const sdk::Json& json) {
  if (json.is_string()) {
    return json.get_ref<const std::string&>().find('\0') != std::string::npos;
  }
  if (!json.is_structured()) {
    return false;
  }
  for (const auto& [name, value] : json.items()) {
    if (name.find('\0') != std::string::npos || holds_nul(value)) {
      return true;
    }
  }
  return false;
}

std::string read_nat_summary(sdk::BodyReader& body) {
  const sdk::Json* nat = body.required("nat_summary");
  if (nat == nullptr) {
    return {};
  }
  if (!nat->is_object()) {
    body.fail("\"nat_summary\" must be an object, {} if there is nothing to tell");
    return {};
  }
  if (holds_nul(*nat)) {
    body.fail("\"nat_summary\" must not contain NUL");
    return {};
  }
  return nat->dump();
}

}  // namespace

std::string read_checksum(std::string_view text) {
  if (text.size() == 64) {
    return sdk::hex_decode(text).value_or("");
  }
  auto bytes = text.size() == 44 ? sdk::base64_decode(text) : std::nullopt;
  return bytes && bytes->size() == kChecksumBytes ? *bytes : std::string();
}

sdk::Result<HeartbeatReport> read_heartbeat(std::string_view text) {
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return sdk::Error{sdk::Code::invalid_argument, "malformed_heartbeat_request",
                      json.error().detail};
  }
  sdk::BodyReader body(*json);
  HeartbeatReport report;
  report.client_now = body.instant("client_now");
  report.binary_checksum =
      read_checksum(body.optional_text("binary_checksum", 0, kMaxText).value_or(""));
  report.binary_version = body.optional_text("binary_version", 0, kMaxText).value_or("");
  report.nat_summary = read_nat_summary(body);
  if (const auto fault = body.fault()) {
    return sdk::Error{sdk::Code::invalid_argument, "malformed_heartbeat_request",
                      "The heartbeat is refused: " + *fault + "."};
  }
  return report;
}

}  // namespace plexsphere::mesh
