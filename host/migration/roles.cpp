#include "host/migration/roles.hpp"

#include <pqxx/result_iterator.hxx>

#include <set>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::migration {
namespace {

using persistence::quote_identifier;
using persistence::quote_literal;
using persistence::Session;

class Grants {
 public:
  explicit Grants(Session& session) : session_(session) {}

  void ensure_role(const std::string& role, const std::string& attributes) {
    if (session_.run("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", {role}).empty()) {
      session_.run("CREATE ROLE " + quote_identifier(role));
    }
    session_.run("ALTER ROLE " + quote_identifier(role) + " " + attributes +
                 " NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS");
  }

  void ensure_member(const std::string& group, const std::string& member) {
    session_.run("GRANT " + quote_identifier(group) + " TO " + quote_identifier(member));
  }

  // Memberships in port roles that no manifest asks for any more are taken back.
  void drop_other_ports(const std::string& member, const std::set<std::string>& wanted) {
    const auto held = session_.run(
        "SELECT g.rolname FROM pg_catalog.pg_auth_members m "
        "JOIN pg_catalog.pg_roles g ON g.oid = m.roleid "
        "JOIN pg_catalog.pg_roles u ON u.oid = m.member "
        "WHERE u.rolname = $1 AND left(g.rolname, 5) = 'port_'",
        {member});
    for (const auto& row : held) {
      const std::string group = row[0].c_str();
      if (!wanted.contains(group)) {
        session_.run("REVOKE " + quote_identifier(group) + " FROM " + quote_identifier(member));
      }
    }
  }

  void ensure_schema(const ContextPlan& plan) {
    const std::string schema = quote_identifier(plan.context);
    const std::string owner = quote_identifier(plan.owner());
    const std::string role = quote_identifier(plan.role());
    session_.run("CREATE SCHEMA IF NOT EXISTS " + schema + " AUTHORIZATION " + owner);
    session_.run("GRANT USAGE ON SCHEMA " + schema + " TO " + role + ", port_outbox");
    for (const std::string& port : plan.provides) {
      session_.run("GRANT USAGE ON SCHEMA " + schema + " TO " + quote_identifier(port));
    }
    // Functions are for their own context unless a migration says otherwise; tables are for nobody.
    session_.run("ALTER DEFAULT PRIVILEGES FOR ROLE " + owner +
                 " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC");
    session_.run("ALTER DEFAULT PRIVILEGES FOR ROLE " + owner + " IN SCHEMA " + schema +
                 " GRANT EXECUTE ON FUNCTIONS TO " + role);
  }

 private:
  Session& session_;
};

void require_superuser(Session& session) {
  const auto row = session.run(
      "SELECT rolsuper, rolname FROM pg_catalog.pg_roles WHERE rolname = current_user")[0];
  if (!row[0].as<bool>()) {
    throw persistence::StoreError(
        PX_PERMISSION_DENIED, "not_superuser",
        std::string{"the administrative login '"} + row[1].c_str() +
            "' is not a superuser; database.admin_dsn must name one, because only a superuser can "
            "take set_config from PUBLIC");
  }
}

void close_database(Session& session, const std::string& login) {
  const std::string database =
      quote_identifier(session.run("SELECT current_database()")[0][0].c_str());
  session.run("REVOKE ALL ON DATABASE " + database + " FROM PUBLIC");
  session.run("GRANT CONNECT ON DATABASE " + database + " TO " + quote_identifier(login));
  session.run("REVOKE ALL ON SCHEMA public FROM PUBLIC");
  session.run("REVOKE ALL ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC");
  session.run("REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC");
  // Whatever takes SQL as text, or keeps a lock on a pooled session after its transaction.
  const auto functions = session.run(
      "SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p "
      "WHERE p.pronamespace = 'pg_catalog'::regnamespace AND (p.proname LIKE 'query\\_to\\_xml%' "
      "OR p.proname LIKE 'cursor\\_to\\_xml%' OR p.proname = 'ts_stat' "
      "OR p.proname IN ('lo_import', 'lo_export'))");
  for (const auto& row : functions) {
    session.run(std::string{"REVOKE ALL ON FUNCTION "} + row[0].c_str() + " FROM PUBLIC");
  }
}

std::set<std::string> all_ports(const std::vector<ContextPlan>& plans) {
  std::set<std::string> ports{"port_outbox"};
  for (const ContextPlan& plan : plans) {
    ports.insert(plan.provides.begin(), plan.provides.end());
    ports.insert(plan.uses.begin(), plan.uses.end());
  }
  return ports;
}

}  // namespace

void establish_roles(Session& session, const std::vector<ContextPlan>& plans,
                     const LoginRole& login) {
  require_superuser(session);
  Grants grants(session);
  grants.ensure_role(login.name, "LOGIN NOINHERIT");
  if (!login.scram_verifier.empty()) {
    session.run("SET LOCAL log_statement = 'none'");
    session.run("ALTER ROLE " + quote_identifier(login.name) + " PASSWORD " +
                quote_literal(login.scram_verifier));
  }
  for (const std::string& port : all_ports(plans)) {
    grants.ensure_role(port, "NOLOGIN INHERIT");
  }
  for (const ContextPlan& plan : plans) {
    grants.ensure_role(plan.owner(), "NOLOGIN INHERIT");
    grants.ensure_role(plan.role(), "NOLOGIN INHERIT");
    grants.ensure_member(plan.role(), login.name);
    for (const std::string& port : plan.uses) {
      grants.ensure_member(port, plan.role());
    }
    grants.drop_other_ports(plan.role(), {plan.uses.begin(), plan.uses.end()});
    grants.ensure_schema(plan);
  }
  close_database(session, login.name);
}

}  // namespace plexsphere::host::migration
