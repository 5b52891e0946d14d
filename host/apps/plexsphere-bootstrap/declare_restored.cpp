#include "host/apps/plexsphere-bootstrap/declare_restored.hpp"

#include <pqxx/result_iterator.hxx>
#include <thread>

#include "host/base/uuid.hpp"
#include "host/persistence/session.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::apps {
namespace {

using persistence::Session;
using persistence::StoreError;

constexpr std::chrono::milliseconds kBetweenLooks{500};

// 42P01: no such table; 3F000: no such schema; 22P02: no such value of the type; 23514: a check.
[[noreturn]] void explain(const StoreError& error, const DeclareRequest& request) {
  if (error.sqlstate() == "42P01" || error.sqlstate() == "3F000") {
    throw StoreError(PX_FAILED_PRECONDITION, "not_migrated",
                     "the database's audit schema knows no declared restores yet: enable the "
                     "context and run plexsphere-bootstrap migrate first");
  }
  if (error.sqlstate() == "22P02") {
    throw StoreError(PX_INVALID_ARGUMENT, "chain",
                     "--domain takes the id of a Domain, not '" + request.chain + "'");
  }
  if (error.sqlstate() == "23514") {
    throw StoreError(PX_INVALID_ARGUMENT, "reason",
                     "--reason takes 1 to 200 printable ASCII characters, no space at either end");
  }
  throw error;
}

// The chain's open request, made where there is none.
std::string open_request(Session& session, const DeclareRequest& request) {
  if (session
          .run("SELECT FROM audit.audit_log_chain_head WHERE domain_id = $1::uuid", {request.chain})
          .empty()) {
    throw StoreError(PX_INVALID_ARGUMENT, "chain", "there is no chain of " + request.chain);
  }
  session.run(
      "INSERT INTO audit.audit_epoch_request (id, domain_id, reason) "
      "VALUES ($1::uuid, $2::uuid, $3::text) ON CONFLICT DO NOTHING",
      {make_uuid7_text(), request.chain, request.reason});
  const auto rows = session.run(
      "SELECT id FROM audit.audit_epoch_request WHERE domain_id = $1::uuid AND ended_at IS NULL",
      {request.chain});
  return rows[0][0].c_str();
}

DeclareAnswer look(Session& session, const std::string& id) {
  session.begin({});
  const auto rows = session.run(
      "SELECT coalesce(statement, ''), coalesce(outcome, ''), coalesce(detail, '') "
      "FROM audit.audit_epoch_request WHERE id = $1::uuid",
      {id});
  session.commit();
  return {id, rows[0][0].c_str(), rows[0][1].c_str(), rows[0][2].c_str()};
}

}  // namespace

DeclareAnswer declare_restored(const std::string& admin_dsn, const DeclareRequest& request,
                               const std::function<void(const DeclareAnswer&)>& drafted) {
  persistence::SessionOptions options;
  options.dsn = admin_dsn;
  options.application_name = "plexsphere-bootstrap";
  Session session(options);
  std::string id;
  session.begin({});
  try {
    id = open_request(session, request);
    session.commit();
  } catch (const StoreError& error) {
    session.rollback();
    explain(error, request);
  }
  const auto until = std::chrono::steady_clock::now() + request.wait;
  bool told = false;
  while (true) {
    DeclareAnswer answer = look(session, id);
    if (!told && !answer.statement.empty() && answer.outcome.empty()) {
      drafted(answer);
      told = true;
    }
    if (!answer.outcome.empty() || std::chrono::steady_clock::now() >= until) {
      return answer;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace plexsphere::host::apps
