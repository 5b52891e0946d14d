// The control plane's API as a client sees it: one base URL, one credential, JSON both ways.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>

#include "support/http_client.hpp"

namespace plexsphere::sim {

// An answer that was not the one wanted: status, problem code and detail in one line.
class ApiError : public std::runtime_error {
 public:
  ApiError(int status, std::string code, const std::string& what)
      : std::runtime_error(what), status_(status), code_(std::move(code)) {}
  int status() const { return status_; }
  const std::string& code() const { return code_; }

 private:
  int status_;
  std::string code_;
};

// Thread-safe value; keeps no connection.
class Api {
 public:
  // `base` without a trailing slash; `bearer` may be empty.
  Api(std::string base, std::string bearer) : base_(std::move(base)), bearer_(std::move(bearer)) {}

  const std::string& base() const { return base_; }
  const std::string& bearer() const { return bearer_; }

  // Told of every answer that any Api gets, on the thread that got it; must not throw.
  using Observer = void (*)(const std::string& base, const std::string& method,
                            const std::string& path, const std::string& body,
                            const test_support::HttpResponse& answer) noexcept;
  static void observe_with(Observer observer);

  // Whatever the answer is. Throws std::runtime_error when there is none.
  test_support::HttpResponse raw(const std::string& method, const std::string& path,
                                 const std::string& body = {}) const;
  // The parsed body of a 2xx answer (null when empty). Throws ApiError otherwise.
  nlohmann::json get(const std::string& path) const;
  nlohmann::json post(const std::string& path, const nlohmann::json& body) const;
  nlohmann::json put(const std::string& path, const nlohmann::json& body) const;
  void remove(const std::string& path) const;

 private:
  nlohmann::json call(const std::string& method, const std::string& path,
                      const std::string& body) const;

  std::string base_;
  std::string bearer_;
};

}  // namespace plexsphere::sim
