// What is wrong with one exchange, seen from the API document alone:
//
//   the operation is in the document; its status is declared; Content-Type is one that this status
//   declares, and none comes without; the body matches the schema and says nothing the schema does
//   not list; headers that the status declares as required are there, and match; `Location` and
//   `Sunset` come only where they are declared. A problem names its HTTP status, its path, its
//   correlation id as the header does, and a `code` that the description of its status lists.
//   Of a request that succeeds, path and query parameters and the body match what is declared.
//
// Two rules on the document itself, where OpenAPI leaves room: a response that lists a header says
// `required` true or false, and an error response lists its codes in its description, as words.
#pragma once

#include <string>
#include <vector>

#include "contract/api_document.hpp"
#include "support/http_client.hpp"

namespace plexsphere::contract {

struct Exchange {
  std::string method;
  std::string target;        // path, and query when there is one
  std::string request_type;  // Content-Type of the request; empty without a body
  std::string request_body;
  test_support::HttpResponse answer;
};

struct Finding {
  std::string operation_id;  // empty when the operation is not in the document
  std::string code;          // of a problem
  std::vector<std::string> violations;
};

// Pure; thread-safe.
Finding check(const ApiDocument& document, const Exchange& exchange);

}  // namespace plexsphere::contract
