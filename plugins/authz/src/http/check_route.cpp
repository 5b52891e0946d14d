#include "http/check_route.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "domain/reference_text.hpp"
#include "domain/schema.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::authz {
namespace {

constexpr std::size_t kMostCaveatFields = 32;

struct Question {
  Subject subject;
  std::string relation;
  Object resource;
  std::string caveat_names;  // comma separated; values are looked at by no caveat yet
};

// Names of the caveat context, for the audit row; nothing on a fault.
std::optional<std::string> caveat_names(const sdk::Json* context) {
  if (context == nullptr) {
    return std::string{};
  }
  if (!context->is_object() || context->size() > kMostCaveatFields) {
    return std::nullopt;
  }
  std::string names;
  for (const auto& [name, value] : context->items()) {
    if (!is_name(name)) {
      return std::nullopt;
    }
    names += (names.empty() ? "" : ",") + name;
  }
  return names;
}

sdk::Problem invalid(std::string detail) {
  return sdk::bad_request("invalid_check_request", std::move(detail));
}

std::variant<Question, sdk::Problem> decode(std::string_view body) {
  const auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return sdk::bad_request("invalid_body", json.error().detail);
  }
  sdk::BodyReader reader(*json);
  const std::string subject_text = reader.text("subject", 1, 4096);
  const std::string relation = reader.text("relation", 1, 4096);
  const std::string resource_text = reader.text("resource", 1, 4096);
  const auto names = caveat_names(reader.seen("caveat_context"));
  if (const auto& fault = reader.fault_ignoring_unknown()) {
    return invalid("The check is refused: " + *fault + ".");
  }
  const auto subject = parse_subject(subject_text);
  const auto resource = parse_object(resource_text);
  if (!subject) {
    return invalid("\"subject\" must be \"type:id\" or \"type:id#relation\".");
  }
  if (!resource) {
    return invalid("\"resource\" must be \"type:id\".");
  }
  if (!names) {
    return invalid("\"caveat_context\" must be an object of at most 32 lower-case names.");
  }
  if (find_rule(resource->type, relation) == nullptr) {
    return invalid(is_object_type(resource->type)
                       ? "Objects of type \"" + resource->type + "\" have no such \"relation\"."
                       : "There is no object type \"" + resource->type + "\".");
  }
  return Question{*subject, relation, *resource, *names};
}

sdk::AuditEntry entry_of(const sdk::Request& request, const Question& question,
                         const sdk::Decision& decision) {
  auto entry =
      sdk::AuditEntry::of(request, "authz.check", question.resource.type, question.resource.id);
  if (question.resource == platform()) {
    entry.in_platform();
  }
  entry.reason = decision.reason;
  entry.relation_path = decision.relation_path;
  if (!question.caveat_names.empty()) {
    entry.caveat_names.emplace_back("caveat_context", question.caveat_names);
  }
  return entry;
}

sdk::Response answer_of(const sdk::Decision& decision, std::string_view correlation_id) {
  sdk::Json body{{"decision", decision.allowed() ? "allowed" : "denied"},
                 {"correlation_id", correlation_id}};
  if (decision.allowed()) {
    body["relation_path"] = decision.relation_path;
  } else {
    body["reason"] = sdk::reason_text(decision.reason);
  }
  return sdk::Response::json(200, body.dump());
}

}  // namespace

void CheckRoute::handle(const sdk::Request& request, sdk::Responder responder) const {
  auto decoded = decode(request.body());
  if (auto* problem = std::get_if<sdk::Problem>(&decoded)) {
    responder.send(*problem);
    return;
  }
  const auto& question = std::get<Question>(decoded);
  const auto& subject = question.subject;
  const auto decision = authorizer_.check(
      {subject.object.type, subject.object.id, subject.relation}, question.relation,
      {question.resource.type, question.resource.id, {}}, request.remote_ip());
  if (!decision.ok()) {
    responder.send(sdk::authz_unavailable());
    return;
  }
  // Shared because std::function wants to be copyable; the completion is the only owner.
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  auto answer = answer_of(*decision, request.correlation_id());
  audit_.record(entry_of(request, question, *decision),
                [waiting, answer = std::move(answer)](const sdk::Status& recorded) {
                  if (recorded.ok()) {
                    waiting->send(answer);
                  } else {
                    waiting->send(sdk::audit_unavailable());
                  }
                });
}

}  // namespace plexsphere::authz
