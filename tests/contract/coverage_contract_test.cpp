// What all contract tests together have met, against what they have to: every operation of
// scope.txt is in the published document; every line of scope.txt, and every status and code that
// the document declares for these operations, was met by an answer that kept the document; and no
// answer in any test broke it.
//
// Left out: 500, which no test can ask for; and the outages that any operation may answer, of which
// one for each operation is enough.
#include <catch2/catch.hpp>

#include <fstream>
#include <regex>
#include <set>

#include "contract/ledger.hpp"
#include "contract/site.hpp"

using namespace plexsphere;
using nlohmann::json;

namespace {

using Lines = std::set<std::string>;

const Lines kOutages{"datastore_unavailable", "authn_unavailable", "authz_unavailable",
                     "audit_unavailable", "signing_unavailable"};

std::vector<std::string> lines_of(const char* name) {
  std::ifstream in(std::string(PLEXSPHERE_CONTRACT_SCOPE) + "/" + name);
  REQUIRE(in.good());
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') {
      out.push_back(line);
    }
  }
  return out;
}

Lines excused() {
  Lines out;
  for (const std::string& line : lines_of("unmet.txt")) {
    const auto colon = line.find(": ");
    REQUIRE(colon != std::string::npos);  // each with a reason
    out.insert(line.substr(0, colon));
  }
  return out;
}

// Of a line with "*", any line of that operation and status will do.
bool met(const Lines& ledger, const std::string& line) {
  if (!line.ends_with(" *")) {
    return ledger.contains(line);
  }
  const std::string beginning = line.substr(0, line.size() - 1);
  const auto at = ledger.lower_bound(beginning);
  return at != ledger.end() && at->starts_with(beginning);
}

// The codes among the words of a description; what stands in backticks is no code.
Lines codes_in(const std::string& description) {
  static const std::regex quoted("`[^`]*`");
  static const std::regex code("[a-z]+(_[a-z0-9]+)+|unauthenticated|unauthorized");
  const std::string text = std::regex_replace(description, quoted, "");
  return {std::sregex_token_iterator(text.begin(), text.end(), code), {}};
}

// Every status and code the document declares for the operation, as lines of a ledger.
Lines declared(const contract::Operation& operation) {
  Lines out;
  for (const auto& [status, response] : operation.object.at("responses").items()) {
    const int number = std::stoi(status);
    if (number < 400) {
      out.insert(contract::ledger_line(operation.id, number, ""));
    } else if (number != 500) {
      bool outage = false;
      for (const std::string& code : codes_in(response.value("description", ""))) {
        outage = outage || kOutages.contains(code);
        if (!kOutages.contains(code)) {
          out.insert(contract::ledger_line(operation.id, number, code));
        }
      }
      if (outage) {
        out.insert(contract::ledger_line(operation.id, number, "*"));
      }
    }
  }
  return out;
}

std::string joined(const Lines& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

Lines operations_of(const std::vector<std::string>& scope) {
  Lines out;
  for (const std::string& line : scope) {
    out.insert(line.substr(0, line.find(' ')));
  }
  return out;
}

}  // namespace

TEST_CASE("every operation in scope is published, and every answer it declares was met",
          "[contract]") {
  const auto& document = contract::Site::shared().document();
  const auto scope = lines_of("scope.txt");
  Lines needed(scope.begin(), scope.end());
  Lines unpublished;
  for (const std::string& id : operations_of(scope)) {
    if (const auto* operation = document.find(id)) {
      needed.merge(declared(*operation));
    } else {
      unpublished.insert(id);
    }
  }
  CHECK(joined(unpublished) == "");

  const Lines ledger = contract::all_entries();
  Lines unmet;
  Lines needlessly_excused;
  const Lines excuses = excused();
  for (const std::string& line : needed) {
    if (!met(ledger, line) && !excuses.contains(line)) {
      unmet.insert(line);
    }
  }
  for (const std::string& line : excuses) {
    if (met(ledger, line) || !needed.contains(line)) {
      needlessly_excused.insert(line);
    }
  }
  CHECK(joined(unmet) == "");
  CHECK(joined(needlessly_excused) == "");
}

TEST_CASE("no answer in any test broke the published API", "[contract]") {
  CHECK(contract::all_violations() == "");
}
