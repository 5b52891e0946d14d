// A client for contract tests: every answer is held against the document the server publishes
// before the test sees it.
//
//   const contract::Client op(contract::published_by(url), url, operator_token);
//   CHECK(op.call("GET", "/v1/domains/x").outcome() == "400 invalid_domain_id");
//
// An answer that breaks a rule of answer_check.hpp throws ContractViolation, which fails the test
// with all that is wrong; one that keeps them is entered in the ledger.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "contract/api_document.hpp"
#include "support/http_client.hpp"

namespace plexsphere::contract {

class ContractViolation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Document = std::shared_ptr<const ApiDocument>;

// The document of a running server; one is enough for all clients of a deployment.
Document published_by(const std::string& base_url);

struct Answer {
  int status = 0;
  std::string code;     // of a problem
  nlohmann::json body;  // null when empty
  test_support::HttpHeaders headers;

  // "403 token_consumed", or the status alone.
  std::string outcome() const;
};

// Thread-safe value; keeps no connection.
class Client {
 public:
  // `bearer` may be empty.
  Client(Document document, std::string base, std::string bearer)
      : document_(std::move(document)), base_(std::move(base)), bearer_(std::move(bearer)) {}

  // `target` is path and query. A null body is none. Throws ContractViolation, and
  // std::runtime_error when there is no answer.
  Answer call(const std::string& method, const std::string& target,
              const nlohmann::json& body = {}) const;
  // The same with a body as it stands, which need not be JSON.
  Answer send(const std::string& method, const std::string& target, const std::string& body) const;

  // The same server with another credential, or with none.
  Client as(const std::string& bearer) const { return {document_, base_, bearer}; }
  // The same with one more header on every request.
  Client with_header(const std::string& name, const std::string& value) const {
    Client out = *this;
    out.headers_[name] = value;
    return out;
  }
  const std::string& base() const { return base_; }

 private:
  Document document_;
  std::string base_;
  std::string bearer_;
  test_support::HttpHeaders headers_ = {};
};

// As Client does with its own: throws ContractViolation, or enters the exchange in the ledger. For
// tests that speak HTTP by other means.
void require_kept(const ApiDocument& document, const std::string& method, const std::string& target,
                  const std::string& request_body, const test_support::HttpResponse& answer);

}  // namespace plexsphere::contract
