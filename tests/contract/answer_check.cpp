#include "contract/answer_check.hpp"

#include <algorithm>
#include <cctype>

namespace plexsphere::contract {

using nlohmann::json;

namespace {

constexpr auto kProblemType = "application/problem+json";
constexpr auto kErrorBase = "https://plexsphere.com/errors/";

std::string essence(const std::string& content_type) {
  std::string out = content_type.substr(0, content_type.find(';'));
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

bool is_json(const std::string& media_type) {
  return media_type == "application/json" || media_type.ends_with("+json");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool lists_word(const std::string& text, const std::string& word) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      return true;
    }
  }
  return false;
}

// A value of a path, a query or a header as the JSON its schema speaks of.
json from_text(const std::string& text, const json& schema) {
  const json type = schema.value("type", json("string"));
  if (type == "integer" || type == "number" || type == "boolean") {
    const json parsed = json::parse(text, nullptr, false);
    return parsed.is_discarded() ? json(text) : parsed;
  }
  return text;
}

std::map<std::string, std::string> query_of(const std::string& target) {
  std::map<std::string, std::string> out;
  const auto mark = target.find('?');
  for (std::size_t at = mark == std::string::npos ? target.size() : mark + 1; at < target.size();) {
    const std::size_t end = std::min(target.find('&', at), target.size());
    const std::string pair = target.substr(at, end - at);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    out[pair.substr(0, equals)] = equals < pair.size() ? pair.substr(equals + 1) : "";
    at = end + 1;
  }
  return out;
}

class Check {
 public:
  Check(const ApiDocument& document, const Exchange& exchange)
      : document_(document),
        exchange_(exchange),
        path_(exchange.target.substr(0, exchange.target.find('?'))),
        body_(json::parse(exchange.answer.body, nullptr, false)),
        media_type_(essence(header("Content-Type"))) {}

  Finding run() {
    if (media_type_ == kProblemType && body_.is_object()) {
      finding_.code = body_.value("code", "");
    }
    const auto match = document_.match(exchange_.method, path_);
    if (!match) {
      say("the document knows no such operation");
      return finding_;
    }
    finding_.operation_id = match->operation->id;
    if (exchange_.answer.status >= 200 && exchange_.answer.status < 300) {
      check_parameters(*match);
      check_request_body(match->operation->object);
    }
    const auto& responses = match->operation->object["responses"];
    const std::string status = std::to_string(exchange_.answer.status);
    if (!responses.contains(status)) {
      say("the status is not declared");
      return finding_;
    }
    check_body(responses[status]);
    check_headers(responses[status]);
    check_problem(responses[status]);
    return finding_;
  }

 private:
  void say(const std::string& what) { finding_.violations.push_back(what); }
  void say_all(const std::string& where, const std::vector<std::string>& errors) {
    for (const std::string& error : errors) {
      say(where + ": " + error);
    }
  }

  std::string header(const std::string& name) const {
    const auto found = exchange_.answer.headers.find(name);
    return found == exchange_.answer.headers.end() ? "" : found->second;
  }

  void check_parameters(const Match& match) {
    auto query = query_of(exchange_.target);
    for (const json& parameter : match.operation->parameters) {
      const std::string in = parameter.at("in");
      const std::string name = parameter.at("name");
      if (in == "path") {
        check_value("path parameter " + name, match.path_values.at(name), parameter["schema"]);
      } else if (in == "query") {
        if (const auto given = query.extract(name); !given.empty()) {
          check_value("query parameter " + name, given.mapped(), parameter["schema"]);
        } else if (parameter.value("required", false)) {
          say("the query parameter " + name + " is required, and success came without");
        }
      }
    }
    for (const auto& [name, value] : query) {
      say("the query parameter " + name + " is not declared, and success came with it");
    }
  }

  void check_value(const std::string& where, const std::string& text, const json& schema) {
    say_all(where, document_.requests().errors(schema, from_text(text, schema)));
  }

  void check_request_body(const json& operation) {
    if (!operation.contains("requestBody")) {
      if (!exchange_.request_body.empty()) {
        say("the operation declares no request body, and success came with one");
      }
      return;
    }
    const json& declared = operation["requestBody"];
    if (exchange_.request_body.empty()) {
      if (declared.value("required", false)) {
        say("a request body is required, and success came without");
      }
      return;
    }
    const std::string type = essence(exchange_.request_type);
    if (!declared["content"].contains(type)) {
      say("the request's Content-Type '" + type + "' is not declared");
    } else if (is_json(type)) {
      say_all("request",
              document_.requests().errors(declared["content"][type].value("schema", json::object()),
                                          json::parse(exchange_.request_body, nullptr, false)));
    }
  }

  void check_body(const json& response) {
    if (!response.contains("content")) {
      if (!exchange_.answer.body.empty()) {
        say("the status declares no body, and this came: " + exchange_.answer.body.substr(0, 200));
      }
      return;
    }
    if (!response["content"].contains(media_type_)) {
      say("the Content-Type '" + media_type_ + "' is not declared for the status");
      return;
    }
    const json schema = response["content"][media_type_].value("schema", json::object());
    if (!is_json(media_type_)) {
      say_all("answer", document_.answers().errors(schema, exchange_.answer.body));
    } else if (body_.is_discarded()) {
      say("the body is not JSON");
    } else {
      say_all("answer", document_.answers().errors(schema, body_));
    }
  }

  void check_headers(const json& response) {
    const json declared = response.value("headers", json::object());
    for (const auto& [name, header_object] : declared.items()) {
      if (!header_object.contains("required")) {
        say("the document does not say whether the header " + name + " is required");
      }
      if (!exchange_.answer.headers.contains(name)) {
        if (header_object.value("required", false)) {
          say("the header " + name + " is missing");
        }
        continue;
      }
      const json schema = header_object.value("schema", json::object());
      say_all("header " + name,
              document_.answers().errors(schema, from_text(header(name), schema)));
    }
    for (const char* name : {"Location", "Sunset"}) {
      if (exchange_.answer.headers.contains(name) && !declared.contains(name)) {
        say(std::string("the header ") + name + " comes and is not declared");
      }
    }
    const std::string retry = header("Retry-After");
    if (!std::ranges::all_of(retry, [](unsigned char c) { return std::isdigit(c) != 0; })) {
      say("Retry-After is not a number of seconds: " + retry);
    }
  }

  void check_problem(const json& response) {
    if (media_type_ != kProblemType || !body_.is_object()) {
      return;
    }
    expect("status", body_.value("status", json()), exchange_.answer.status);
    expect("instance", body_.value("instance", json()), path_);
    expect("correlation_id", body_.value("correlation_id", json()), header("X-Correlation-Id"));
    if (finding_.code.empty()) {
      say("the problem has no code");
      return;
    }
    std::string dashed = finding_.code;
    std::ranges::replace(dashed, '_', '-');
    expect("type", body_.value("type", json()), kErrorBase + dashed);
    if (!lists_word(response.value("description", ""), finding_.code)) {
      say("the description of the status does not list the code " + finding_.code);
    }
  }

  void expect(const std::string& member, const json& is, const json& wanted) {
    if (is != wanted) {
      say("the problem's " + member + " is " + is.dump() + ", not " + wanted.dump());
    }
  }

  const ApiDocument& document_;
  const Exchange& exchange_;
  std::string path_;
  json body_;  // discarded when the body is not JSON
  std::string media_type_;
  Finding finding_;
};

}  // namespace

Finding check(const ApiDocument& document, const Exchange& exchange) {
  return Check(document, exchange).run();
}

}  // namespace plexsphere::contract
