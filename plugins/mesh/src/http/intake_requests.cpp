#include "http/intake_requests.hpp"

#include <functional>

#include "http/heartbeat_request.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::mesh {
namespace {

constexpr std::size_t kMaxText = 4096;  // characters

sdk::Error refused(std::string_view code, const std::string& what) {
  return {sdk::Code::invalid_argument, std::string(code), "The body is refused: " + what + "."};
}

// 32 bytes of standard base64, otherwise empty.
std::string read_sha256(const std::string& text) {
  auto bytes = sdk::base64_decode(text);
  return bytes && bytes->size() == kChecksumBytes ? *bytes : std::string();
}

std::string text_or_empty(sdk::BodyReader& body, std::string_view name) {
  return body.optional_text(name, 0, kMaxText).value_or("");
}

// Reads an array of objects, each with a reader of its own; a fault in one is the body's.
template <typename Item>
std::vector<Item> read_list(sdk::BodyReader& body, const std::string& name,
                            const std::function<Item(sdk::BodyReader&)>& read_item) {
  std::vector<Item> out;
  const sdk::Json* list = body.seen(name);
  if (list == nullptr) {
    return out;
  }
  if (!list->is_array()) {
    body.fail("\"" + name + "\" must be an array");
    return out;
  }
  for (const sdk::Json& each : *list) {
    sdk::BodyReader item(each);
    out.push_back(read_item(item));
    if (const auto fault = item.fault()) {
      body.fail("in \"" + name + "\", " + *fault);
      break;
    }
  }
  return out;
}

DeclaredHook read_declared(sdk::BodyReader& hook) {
  DeclaredHook out;
  out.name = text_or_empty(hook, "name");
  out.checksum = read_sha256(text_or_empty(hook, "checksum"));
  return out;
}

std::map<std::string, std::string> read_parameters(sdk::BodyReader& hook) {
  std::map<std::string, std::string> out;
  const sdk::Json* parameters = hook.seen("parameters");
  if (parameters == nullptr) {
    return out;
  }
  if (!parameters->is_object()) {
    hook.fail("\"parameters\" must be an object");
    return out;
  }
  for (const auto& [name, value] : parameters->items()) {
    if (!value.is_string() || name.find('\0') != std::string::npos ||
        value.get_ref<const std::string&>().find('\0') != std::string::npos) {
      hook.fail("\"parameters\" must map names to strings without NUL");
      return out;
    }
    out.emplace(name, value.get<std::string>());
  }
  return out;
}

bool read_flag(sdk::BodyReader& hook, const std::string& name) {
  const sdk::Json* value = hook.seen(name);
  if (value != nullptr && !value->is_boolean()) {
    hook.fail("\"" + name + "\" must be true or false");
  }
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

PlexdHook read_plexd(sdk::BodyReader& hook) {
  PlexdHook out;
  out.name = text_or_empty(hook, "name");
  out.image_digest = text_or_empty(hook, "image_digest");
  out.parameters = read_parameters(hook);
  out.timeout_seconds = hook.optional_integer("timeout_seconds", INT64_MIN, INT64_MAX).value_or(0);
  out.sandbox = read_flag(hook, "sandbox");
  return out;
}

std::string read_value(sdk::BodyReader& body) {
  std::string value = body.text("value", 0, kMostReportValue);
  if (value.size() > kMostReportValue) {
    body.fail("\"value\" must have at most " + std::to_string(kMostReportValue) + " bytes");
  }
  return value;
}

}  // namespace

sdk::Result<EndpointReport> read_endpoint(std::string_view text) {
  constexpr std::string_view kCode = "malformed_endpoint_request";
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return sdk::Error{sdk::Code::invalid_argument, std::string(kCode), json.error().detail};
  }
  sdk::BodyReader body(*json);
  EndpointReport report{body.text("endpoint", 1, kMaxText), body.text("nat_type", 1, kMaxText),
                        body.instant("reported_at")};
  if (!is_nat_type(report.nat_type)) {
    body.fail("\"nat_type\" must be full_cone, restricted, port_restricted, symmetric or unknown");
  }
  const auto fault = body.fault();
  return fault ? sdk::Result<EndpointReport>(refused(kCode, *fault)) : report;
}

sdk::Result<CapabilityManifest> read_manifest(std::string_view text) {
  constexpr std::string_view kCode = "malformed_capabilities_request";
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return sdk::Error{sdk::Code::invalid_argument, std::string(kCode), json.error().detail};
  }
  sdk::BodyReader body(*json);
  CapabilityManifest manifest;
  manifest.binary_version = text_or_empty(body, "binary_version");
  manifest.binary_checksum = read_sha256(text_or_empty(body, "binary_checksum"));
  manifest.ssh_host_key_fingerprint = text_or_empty(body, "ssh_host_key_fingerprint");
  manifest.declared_hooks = read_list<DeclaredHook>(body, "declared_hooks", read_declared);
  manifest.plexd_hooks = read_list<PlexdHook>(body, "plexd_hooks", read_plexd);
  const auto fault = body.fault();
  return fault ? sdk::Result<CapabilityManifest>(refused(kCode, *fault)) : manifest;
}

sdk::Result<StateReport> read_report(std::string_view key, std::string_view text) {
  constexpr std::string_view kCode = "invalid_report";
  if (!is_report_key(key)) {
    return sdk::Error{sdk::Code::invalid_argument, std::string(kCode),
                      "A report's key is a lower-case letter and up to 127 of lower-case letters, "
                      "digits, \".\", \"_\" and \"-\"."};
  }
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return sdk::Error{sdk::Code::invalid_argument, std::string(kCode), json.error().detail};
  }
  sdk::BodyReader body(*json);
  StateReport report{std::string(key), read_value(body),
                     body.optional_text("workload_tag", 0, kMaxText)};
  const auto fault = body.fault();
  return fault ? sdk::Result<StateReport>(refused(kCode, *fault)) : report;
}

}  // namespace plexsphere::mesh
