#include "chain_database.hpp"

#include <openssl/evp.h>

#include <sstream>
#include <stdexcept>

#include "app/digest.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/store_error.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit::test {
namespace {

using host::migration::ContextPlan;
using host::persistence::StoreError;

ContextPlan audit_plan() {
  ContextPlan plan;
  plan.context = "audit";
  plan.provides = {"port_audit"};
  plan.files = host::migration::read_migrations(AUDIT_MIGRATIONS);
  return plan;
}

ContextPlan other_plan(const std::string& context, std::vector<std::string> uses) {
  ContextPlan plan;
  plan.context = context;
  plan.uses = std::move(uses);
  return plan;
}

std::string quoted(const std::string& text) {
  return host::persistence::quote_literal(text);
}

std::string bytea(const std::string& bytes) {
  return "'\\x" + sdk::hex_encode(bytes) + "'";
}

template <typename Of>
std::string array_of(const std::vector<Row>& rows, const std::string& type, Of of) {
  std::string out = "ARRAY[";
  for (const Row& row : rows) {
    out += (out.back() == '[' ? "" : ",") + of(row);
  }
  return out + "]::" + type + "[]";
}

std::string openssl_sha256(const std::string& bytes) {
  unsigned char out[32];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out, &size, EVP_sha256(), nullptr) != 1 ||
      size != sizeof out) {
    throw std::runtime_error("EVP_Digest failed");
  }
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace

ChainDatabase::ChainDatabase(const test_support::PgCluster::Options& settings)
    : cluster_(settings) {
  cluster_.create_database(name_);
  host::migration::MigrateOptions options;
  options.admin_dsn = cluster_.dsn(name_);
  migrate(options, {host::migration::platform_plan(), audit_plan(),
                    other_plan("guest", {"port_audit"}), other_plan("stranger", {})});
}

host::persistence::Session ChainDatabase::session() const {
  host::persistence::SessionOptions options;
  options.dsn = dsn("plexsphere_core");
  options.lock_timeout = std::chrono::seconds(30);
  options.statement_timeout = std::chrono::seconds(60);
  return host::persistence::Session(options);
}

std::string ChainDatabase::tamper(const std::string& sql) const {
  return query("SET session_replication_role = replica; " + sql);
}

std::string ChainDatabase::refusal(const std::string& role, const std::string& sql) const {
  auto session = this->session();
  session.begin({"plexsphere_" + role, false, {}});
  try {
    session.run(sql);
    session.commit();
    return "";
  } catch (const StoreError& error) {
    session.rollback();
    const bool denied = std::string(error.what()).find("permission denied") != std::string::npos;
    return denied ? "permission denied" : error.reason();
  }
}

Row row_of(const sdk::Uuid& chain, std::string_view relation, std::string_view subject) {
  px_audit_entry wire{};
  wire.struct_size = sizeof wire;
  wire.chain = PX_CHAIN_PLATFORM;
  wire.subject_type = sdk::to_wire("user");
  wire.subject_id = sdk::to_wire(subject);
  wire.relation = sdk::to_wire(relation);
  wire.object_type = sdk::to_wire("domain");
  wire.object_id = sdk::to_wire("o'bject \"1\"");
  wire.remote_ip = sdk::to_wire("192.0.2.7");
  wire.user_agent = sdk::to_wire("agent/1");
  const auto entry = copy_entry(wire, sdk::instant_from_us(1'768'473'000'123'456));
  const std::string pepper(kPepperSize, 'p');
  return make_row(entry.value(), chain, pseudonym(pepper, entry.value().subject_bytes));
}

std::string append_call(const std::vector<Row>& rows) {
  const auto optional = [](const std::optional<std::string>& value) {
    return value ? quoted(*value) : std::string("NULL");
  };
  return "SELECT appended FROM audit.port_append(" +
         array_of(rows, "uuid", [](const Row& row) { return quoted(row.chain.text()); }) + "," +
         array_of(rows, "bytea", [](const Row& row) { return bytea(row.head); }) + "," +
         array_of(rows, "bytea", [](const Row& row) { return bytea(row.tail); }) + "," +
         array_of(rows, "text", [](const Row& row) { return quoted(row.subject_type); }) + "," +
         array_of(rows, "text", [](const Row& row) { return quoted(row.subject_id); }) + "," +
         array_of(rows, "bytea",
                  [](const Row& row) { return row.salt ? bytea(*row.salt) : "NULL"; }) +
         "," + array_of(rows, "text", [&](const Row& row) { return optional(row.source_ip); }) +
         "," + array_of(rows, "text", [&](const Row& row) { return optional(row.user_agent); }) +
         "," + array_of(rows, "text", [&](const Row& row) { return optional(row.object_person); }) +
         ")";
}

int independent_verification(const ChainDatabase& database, const sdk::Uuid& chain) {
  std::istringstream rows(database.query(
      "SELECT seq || ' ' || encode(prev_hash, 'hex') || ' ' || encode(entry_hash, 'hex') || ' ' || "
      "encode(canonical_bytes, 'hex') FROM audit.audit_log_entry WHERE domain_id = '" +
      chain.text() + "' ORDER BY seq"));
  std::string previous(32, '\0');
  int count = 0;
  int seq = 0;
  std::string prev;
  std::string hash;
  std::string canonical;
  while (rows >> seq >> prev >> hash >> canonical) {
    const std::string inner = openssl_sha256(*sdk::hex_decode(canonical));
    const std::string expected = openssl_sha256(previous + inner);
    if (seq != ++count || *sdk::hex_decode(prev) != previous ||
        *sdk::hex_decode(hash) != expected) {
      return -1;
    }
    previous = expected;
  }
  return count;
}

}  // namespace plexsphere::audit::test
