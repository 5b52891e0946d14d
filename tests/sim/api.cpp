#include "sim/api.hpp"

#include <atomic>
#include <nlohmann/json.hpp>

namespace plexsphere::sim {

using nlohmann::json;

namespace {

constinit std::atomic<Api::Observer> observer_of_all{nullptr};

}  // namespace

void Api::observe_with(Observer observer) {
  observer_of_all = observer;
}

test_support::HttpResponse Api::raw(const std::string& method, const std::string& path,
                                    const std::string& body) const {
  test_support::HttpHeaders headers{{"Accept", "application/json"}};
  if (!bearer_.empty()) {
    headers["Authorization"] = "Bearer " + bearer_;
  }
  if (!body.empty()) {
    headers["Content-Type"] = "application/json";
  }
  auto answer = test_support::HttpClient(std::chrono::seconds(35))
                    .request(method, base_ + path, headers, body);
  if (const Observer observer = observer_of_all) {
    observer(base_, method, path, body, answer);
  }
  return answer;
}

json Api::get(const std::string& path) const {
  return call("GET", path, {});
}

json Api::post(const std::string& path, const json& body) const {
  return call("POST", path, body.dump());
}

json Api::put(const std::string& path, const json& body) const {
  return call("PUT", path, body.dump());
}

void Api::remove(const std::string& path) const {
  (void)call("DELETE", path, {});
}

json Api::call(const std::string& method, const std::string& path, const std::string& body) const {
  const auto answer = raw(method, path, body);
  const json parsed = answer.body.empty() ? json() : json::parse(answer.body, nullptr, false);
  if (answer.status < 200 || answer.status > 299) {
    const bool problem = parsed.is_object();
    const std::string code = problem ? parsed.value("code", std::string()) : std::string();
    throw ApiError(answer.status, code,
                   method + " " + path + " answered " + std::to_string(answer.status) + " " + code +
                       (problem ? ": " + parsed.value("detail", std::string()) : std::string()));
  }
  if (parsed.is_discarded()) {
    throw ApiError(answer.status, "", method + " " + path + " answered a body that is not JSON");
  }
  return parsed;
}

}  // namespace plexsphere::sim
