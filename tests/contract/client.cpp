#include "contract/client.hpp"

#include "contract/answer_check.hpp"
#include "contract/ledger.hpp"

namespace plexsphere::contract {

using nlohmann::json;

Document published_by(const std::string& base_url) {
  return std::make_shared<const ApiDocument>(ApiDocument::of_server(base_url));
}

std::string Answer::outcome() const {
  return std::to_string(status) + (code.empty() ? "" : " " + code);
}

Answer Client::call(const std::string& method, const std::string& target, const json& body) const {
  return send(method, target, body.is_null() ? std::string() : body.dump());
}

Answer Client::send(const std::string& method, const std::string& target,
                    const std::string& body) const {
  test_support::HttpHeaders headers = headers_;
  headers.emplace("Accept", "application/json");
  if (!bearer_.empty()) {
    headers["Authorization"] = "Bearer " + bearer_;
  }
  if (!body.empty()) {
    headers["Content-Type"] = "application/json";
  }
  const auto response = test_support::HttpClient(std::chrono::seconds(35))
                            .request(method, base_ + target, headers, body);
  require_kept(*document_, method, target, body, response);
  Answer answer{response.status, {}, {}, response.headers};
  if (!response.body.empty()) {
    answer.body = json::parse(response.body, nullptr, false);
  }
  if (response.status >= 400 && answer.body.is_object()) {
    answer.code = answer.body.value("code", "");
  }
  return answer;
}

void require_kept(const ApiDocument& document, const std::string& method, const std::string& target,
                  const std::string& request_body, const test_support::HttpResponse& answer) {
  const Finding finding =
      check(document,
            {method, target, request_body.empty() ? "" : "application/json", request_body, answer});
  if (finding.violations.empty()) {
    enter(ledger_line(finding.operation_id, answer.status, finding.code));
    return;
  }
  std::string text = method + " " + target + " (" + finding.operation_id + ") answered " +
                     ledger_line("with", answer.status, finding.code) +
                     ", which breaks the published API:";
  for (const std::string& violation : finding.violations) {
    text += "\n  " + violation;
  }
  throw ContractViolation(text);
}

}  // namespace plexsphere::contract
