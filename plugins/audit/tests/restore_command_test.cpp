// plexsphere-bootstrap audit restore, against a core that is there, busy, or away.
#include <sstream>

#include "archive_site.hpp"
#include "host/apps/plexsphere-bootstrap/app.hpp"

namespace plexsphere::audit {
namespace {

using test::ArchiveSite;

struct Command {
  explicit Command(ArchiveSite& the_site) : site(the_site) {
    config = (site.files.path() / "admin.toml").string();
    std::ofstream(config) << "[database]\nadmin_dsn = \"" << site.database.dsn("postgres")
                          << "\"\n[egress]\nmax_in_flight = 8\n";
  }

  int restore(const std::string& domain, const std::string& from, const std::string& to,
              const std::string& wait = "30") {
    out.str("");
    err.str("");
    return host::apps::run_bootstrap({"audit", "restore", "--domain", domain, "--from", from,
                                      "--to", to, "--wait", wait, "--config", config},
                                     out, err);
  }

  ArchiveSite& site;
  std::string config;
  std::ostringstream out;
  std::ostringstream err;
};

}  // namespace

TEST_CASE("an administrator restores a window and is shown the proof", "[audit][pg][archive]") {
  ArchiveSite site;
  Command command(site);
  const std::string chain = site.chain.text();
  site.add(site.chain, 5);
  site.open();
  REQUIRE(site.becomes_stamped(5));
  site.database.tamper("DELETE FROM audit.audit_log_entry WHERE seq IN (2, 3)");
  CHECK(command.restore(chain, "2", "3") == 0);
  CHECK(command.out.str().starts_with("restored: 2 entries were restored; 2 to 3 hold, the last "));
  CHECK(site.database.query("SELECT count(*) FROM audit.audit_log_entry WHERE seq <= 5") == "5");

  site.database.tamper("DELETE FROM audit.audit_log_entry WHERE seq = 4");
  site.store.erase("audit/" + chain + "/00000000000000000004.json.zst");
  CHECK(command.restore(chain, "4", "4") == 1);
  CHECK(command.err.str().starts_with("refused: entry 4 is not in the mirror\nrequest: "));

  site.close();
  CHECK(command.restore(chain, "1", "1", "0") == 1);
  CHECK(command.err.str().starts_with("still open: no core with a mirror has taken it up"));
}

TEST_CASE("a window that no chain has is refused before anybody is asked", "[audit][pg][archive]") {
  ArchiveSite site;
  Command command(site);
  site.add(site.chain, 2);
  const std::string chain = site.chain.text();
  const auto refusal = [&](const std::string& domain, const std::string& from,
                           const std::string& to) {
    CHECK(command.restore(domain, from, to) == 1);
    return command.err.str();
  };
  CHECK(refusal("acme", "1", "2").find("--domain takes the id of a Domain, not 'acme'") !=
        std::string::npos);
  CHECK(refusal(sdk::Uuid::v7(5).text(), "1", "2").find("there is no chain of") !=
        std::string::npos);
  CHECK(refusal(chain, "1", "3").find("ends at 2: --to is at most that") != std::string::npos);
  CHECK(refusal(chain, "2", "1").find("not 2 and 1") != std::string::npos);
  CHECK(refusal(chain, "0", "1").find("--from at least 1") != std::string::npos);
  CHECK(refusal(chain, "1", "1000001").find("less than 1000000 after it") != std::string::npos);
  CHECK(site.database.query("SELECT count(*) FROM audit.audit_restore_request") == "0");
}

}  // namespace plexsphere::audit
