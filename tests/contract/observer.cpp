#include "contract/observer.hpp"

#include <cstdlib>
#include <map>
#include <mutex>

#include "contract/answer_check.hpp"
#include "contract/client.hpp"
#include "contract/ledger.hpp"
#include "sim/api.hpp"

namespace plexsphere::contract {
namespace {

// One document for each server. Null when the server has none, as in a deployment without meta.
Document document_of(const std::string& base) {
  static std::mutex mutex;
  static std::map<std::string, Document> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(base);
  if (found != known.end()) {
    return found->second;
  }
  Document document;
  try {
    document = published_by(base);
  } catch (const std::exception&) {
    return nullptr;  // it may be on its way down: ask again with the next answer
  }
  return known.emplace(base, document).first->second;
}

void observe(const std::string& base, const std::string& method, const std::string& path,
             const std::string& body, const test_support::HttpResponse& answer) noexcept {
  try {
    const Document document = document_of(base);
    const std::string plain = path.substr(0, path.find('?'));
    if (document != nullptr && document->match(method, plain)) {
      require_kept(*document, method, path, body, answer);
    }
  } catch (const std::exception& violation) {
    note_violation(violation.what());
  }
}

}  // namespace

void observe_if_asked() {
  const char* asked = std::getenv("PLEXSPHERE_CONTRACT_OBSERVE");
  if (asked != nullptr && std::string_view(asked) == "1") {
    sim::Api::observe_with(&observe);
  }
}

}  // namespace plexsphere::contract
