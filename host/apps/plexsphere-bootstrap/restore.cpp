#include "host/apps/plexsphere-bootstrap/restore.hpp"

#include <pqxx/result_iterator.hxx>
#include <thread>

#include "host/base/uuid.hpp"
#include "host/persistence/session.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::apps {
namespace {

using persistence::Session;
using persistence::StoreError;

constexpr std::int64_t kMostEntries = 1'000'000;
constexpr std::chrono::milliseconds kBetweenLooks{500};

void check_window(const RestoreRequest& request) {
  if (request.from < 1 || request.to < request.from || request.to - request.from >= kMostEntries) {
    throw StoreError(PX_INVALID_ARGUMENT, "window",
                     "--from and --to are entry numbers, --from at least 1, --to not before it and "
                     "less than 1000000 after it; not " +
                         std::to_string(request.from) + " and " + std::to_string(request.to));
  }
}

// 42P01: no such table; 3F000: no such schema; 22P02: no such value of the type.
[[noreturn]] void explain(const StoreError& error, const RestoreRequest& request) {
  if (error.sqlstate() == "42P01" || error.sqlstate() == "3F000") {
    throw StoreError(PX_FAILED_PRECONDITION, "not_migrated",
                     "the database's audit schema knows no restore yet: enable the context and run "
                     "plexsphere-bootstrap migrate first");
  }
  if (error.sqlstate() == "22P02") {
    throw StoreError(PX_INVALID_ARGUMENT, "chain",
                     "--domain takes the id of a Domain, not '" + request.chain + "'");
  }
  throw error;
}

void check_chain(Session& session, const RestoreRequest& request) {
  const auto head = session.run(
      "SELECT seq FROM audit.audit_log_chain_head WHERE domain_id = $1::uuid", {request.chain});
  if (head.empty()) {
    throw StoreError(PX_INVALID_ARGUMENT, "chain", "there is no chain of " + request.chain);
  }
  if (const auto last = head[0][0].as<std::int64_t>(); request.to > last) {
    throw StoreError(PX_INVALID_ARGUMENT, "window",
                     "the chain of " + request.chain + " ends at " + std::to_string(last) +
                         ": --to is at most that");
  }
}

RestoreAnswer look(Session& session, const std::string& id) {
  session.begin({});
  const auto rows = session.run(
      "SELECT coalesce(outcome, ''), coalesce(detail, '') FROM audit.audit_restore_request "
      "WHERE id = $1::uuid",
      {id});
  session.commit();
  return {id, rows[0][0].c_str(), rows[0][1].c_str()};
}

}  // namespace

RestoreAnswer restore_audit(const std::string& admin_dsn, const RestoreRequest& request) {
  check_window(request);
  persistence::SessionOptions options;
  options.dsn = admin_dsn;
  options.application_name = "plexsphere-bootstrap";
  Session session(options);
  const std::string id = make_uuid7_text();
  session.begin({});
  try {
    check_chain(session, request);
    session.run(
        "INSERT INTO audit.audit_restore_request (id, domain_id, from_seq, to_seq) "
        "VALUES ($1::uuid, $2::uuid, $3::bigint, $4::bigint)",
        {id, request.chain, std::to_string(request.from), std::to_string(request.to)});
    session.commit();
  } catch (const StoreError& error) {
    session.rollback();
    explain(error, request);
  }
  const auto until = std::chrono::steady_clock::now() + request.wait;
  RestoreAnswer answer = look(session, id);
  while (answer.outcome.empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetweenLooks);
    answer = look(session, id);
  }
  return answer;
}

}  // namespace plexsphere::host::apps
