// px.signing/1 through the real plugins, px.store, px.audit and signer.
#include "signing_site.hpp"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

using namespace plexsphere;
using namespace plexsphere::signing_site;

TEST_CASE("a rotation is on record, numbered without gaps, before anybody is told", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  CHECK(outcome(site.signing().active_key(scope)) == "key_not_found");
  CHECK(outcome(site.sign(scope, "", "k")) == "key_not_found");
  CHECK(outcome(site.close(scope)) == "key_not_found");

  const auto first = site.open(scope);
  REQUIRE(outcome(first) == "done");
  CHECK(site.numbers(scope) == "1");
  CHECK(site.signing().active_key(scope)->key == first->key);
  CHECK(site.signing().active_key(scope, PX_SIGN_CHECKPOINT)->key != first->key);
  CHECK(outcome(site.close(scope)) == "no_open_rotation");
  const auto signed_first = site.sign(scope, "", first->key_id);
  REQUIRE(outcome(signed_first) == "done");
  CHECK(signed_first->key.key == first->key);

  const auto second = site.open(scope);
  REQUIRE(outcome(second) == "done");
  CHECK(second->key_id != first->key_id);
  CHECK(site.numbers(scope) == "1 2");
  CHECK(
      site.sql("SELECT number || ' ' || key_id || ' ' || "
               "(closes_at BETWEEN now() + interval '6 days 23 hours' AND "
               "now() + interval '7 days 1 hour') FROM signing_client.active_key WHERE scope = '" +
               scope + "'") == "2 " + second->key_id + " true");
  CHECK(site.signing().active_key(scope)->key == second->key);
  CHECK(outcome(site.sign(scope, "", second->key_id)) == "done");
  CHECK(outcome(site.sign(scope, first->key_id, first->key_id)) == "done");
  CHECK(outcome(site.open(scope)) == "rotation_in_progress");
  CHECK(outcome(site.close(scope)) == "rotation_in_progress");
  CHECK(site.numbers(scope) == "1 2");
  // Attempts are on the audit record, those that were refused too.
  CHECK(site.audited(domain, "signing.open_rotation") == "3");
  CHECK(site.audited(domain, "signing.close_rotation") == "3");
}

TEST_CASE("of many openings at once none is lost and no number is left out", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  std::vector<std::thread> threads;
  std::set<std::string> keys;
  std::set<std::string> refusals;
  std::mutex lock;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto key = site.open(scope);
      const std::lock_guard guard(lock);
      key.ok() ? keys.insert(key->key_id) : refusals.insert(outcome(key));
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  // The first key, which those that asked for it at the same time are told of as well, and at most
  // the one rotation that may be open.
  CHECK((keys.size() == 1 || keys.size() == 2));
  for (const std::string& said : refusals) {
    CHECK(said == "rotation_in_progress");
  }
  CHECK(site.numbers(scope) == (keys.size() == 1 ? "1" : "1 2"));
}

TEST_CASE("a first key whose answer was lost is found again, not made twice", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string key_id = site.open(scope)->key_id;
  SECTION("by asking for it again") {
    site.forget_newest(scope);
    CHECK(site.open(scope)->key_id == key_id);
  }
  SECTION("by signing") {
    site.forget_newest(scope);
    CHECK(outcome(site.sign(scope, "", key_id)) == "done");
  }
  CHECK(site.numbers(scope) == "1");
  CHECK(site.signing().active_key(scope)->key_id == key_id);
}

TEST_CASE("a rotation behind the signer's back is caught up with before the next", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  (void)site.open(scope);
  (void)site.open(scope);
  site.forget_newest(scope);
  CHECK(outcome(site.open(scope)) == "rotation_in_progress");
  CHECK(site.numbers(scope) == "1 2");
}

TEST_CASE("a record that has fallen behind is caught up with from the signer", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string first = site.open(scope)->key_id;
  const std::string second = site.open(scope)->key_id;
  site.forget_newest(scope);
  CHECK(site.signing().active_key(scope)->key_id == first);
  const auto answer = site.sign(scope, first, first);
  CHECK(outcome(answer) == "done");
  CHECK(site.numbers(scope) == "1 2");
  CHECK(site.signing().active_key(scope)->key_id == second);
}

TEST_CASE("a row that somebody changed is refused, never used", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string other = "domain:" + fresh_domain();
  const std::string key_id = site.open(scope)->key_id;
  REQUIRE(outcome(site.open(other)) == "done");
  const std::string where = " WHERE scope = '" + scope + "'";
  const std::string kept = site.sql(
      "SELECT encode(document, 'hex') || ' ' || encode(signature, "
      "'hex') FROM signing_client.key_set" +
      where);
  const std::string document = kept.substr(0, kept.find(' '));
  const std::string signature = kept.substr(kept.find(' ') + 1);
  const std::string update = "UPDATE signing_client.key_set SET ";
  const std::string changes[] = {
      // one digit of a public key
      update +
          "document = set_byte(document, octet_length(document) - 2, "
          "CASE get_byte(document, octet_length(document) - 2) WHEN 48 THEN 49 ELSE 48 END)" +
          where,
      update + "signature = set_byte(signature, 0, get_byte(signature, 0) # 1)" + where,
      // another scope's whole document
      update + "document = o.document, signature = o.signature FROM signing_client.key_set o" +
          " WHERE key_set.scope = '" + scope + "' AND o.scope = '" + other + "'",
      update + "document = ''" + where,
  };
  for (const std::string& change : changes) {
    CAPTURE(change);
    site.sql(change);
    const auto active = site.signing().active_key(scope);
    REQUIRE_FALSE(active.ok());
    CHECK(active.error().code == sdk::Code::data_loss);
    CHECK(active.error().reason == "key_set_untrusted");
    CHECK(outcome(site.sign(scope, "", key_id)) == "key_set_untrusted");
    CHECK(outcome(site.open(scope)) == "key_set_untrusted");
    CHECK(outcome(site.signing().active_key(other)) == "done");
    site.sql(update + "document = decode('" + document + "', 'hex'), signature = decode('" +
             signature + "', 'hex')" + where);
    CHECK(outcome(site.sign(scope, "", key_id)) == "done");
  }
  // The key that comes with a row is not what it is checked with.
  site.sql(update + "document_key = decode(repeat('ab', 32), 'hex')" + where);
  CHECK(site.signing().active_key(scope)->key_id == key_id);
}

TEST_CASE("without the signer public halves are known and nothing is signed", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string key_id = site.open(scope)->key_id;
  site.deployment.stop_signer();
  CHECK(site.signing().active_key(scope)->key_id == key_id);
  CHECK(outcome(site.sign(scope, "", key_id)) == "signing_unavailable");
  CHECK(outcome(site.open(scope)) == "signing_unavailable");
  site.deployment.start_signer();
  CHECK(outcome(site.sign_patiently(scope, "", key_id)) == "done");
  CHECK(site.numbers(scope) == "1");
}

TEST_CASE("a signer without its state refuses until it may adopt", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string key_id = site.open(scope)->key_id;
  site.deployment.stop_signer();
  std::filesystem::remove_all(site.deployment.directory() / "signer-state");
  site.deployment.start_signer();
  CHECK(outcome(site.sign(scope, "", key_id)) == "signing_unavailable");
  CHECK(outcome(site.open(scope)) == "signing_unavailable");
  site.deployment.stop_signer();
  std::ofstream(site.deployment.directory() / "signer.toml", std::ios::app) << "adopt = true\n";
  site.deployment.start_signer();
  CHECK(outcome(site.sign_patiently(scope, "", key_id)) == "done");
  CHECK(outcome(site.open(scope)) == "done");
  CHECK(site.numbers(scope) == "1 2");
}

TEST_CASE("requests out of bounds do not reach the signer", "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const auto sign = [&](const std::string& where, px_signing_purpose purpose,
                        const std::vector<std::string>& messages) {
    return outcome(result_of<sdk::Signatures>(
        [&](auto done) { site.signing().sign(where, purpose, "", messages, std::move(done)); }));
  };
  CHECK(sign("node:1", PX_SIGN_EVENT, {"m"}) == "invalid_scope");
  CHECK(sign(scope, 0, {"m"}) == "invalid_sign_request");
  CHECK(sign(scope, PX_SIGN_EVENT, {}) == "invalid_sign_request");
  CHECK(sign(scope, PX_SIGN_EVENT, std::vector<std::string>(257, "m")) == "invalid_sign_request");
  CHECK(sign(scope, PX_SIGN_EVENT, {std::string(60 * 1024 + 1, 'm')}) == "message_too_large");
  CHECK(outcome(site.signing().active_key("node:1")) == "invalid_scope");
  CHECK(outcome(site.signing().active_key(scope, 9)) == "invalid_purpose");
  CHECK(outcome(site.open("node:1")) == "invalid_scope");
  CHECK(outcome(site.close("node:1")) == "invalid_scope");
}

TEST_CASE("every call completes once when the core stops, and later ones are refused",
          "[signing]") {
  Site site;
  const std::string scope = "domain:" + fresh_domain();
  const std::string key_id = site.open(scope)->key_id;
  constexpr int kCalls = 200;
  std::atomic<int> completed = 0;
  std::set<std::string> outcomes;
  std::mutex lock;
  for (int i = 0; i < kCalls; ++i) {
    const std::vector<std::string> messages{event_under(key_id)};
    site.signing().sign(scope, PX_SIGN_EVENT, "", messages, [&](const auto& answer) {
      const std::lock_guard guard(lock);
      ++completed;
      outcomes.insert(outcome(answer));
    });
  }
  site.core().stop();
  CHECK(completed == kCalls);
  for (const std::string& said : outcomes) {
    CAPTURE(said);
    CHECK((said == "done" || said == "signing_unavailable" || said == "draining"));
  }
  CHECK(outcome(site.sign(scope, "", key_id)) == "signing_unavailable");
  CHECK(outcome(site.signing().active_key(scope)) == "signing_unavailable");
}
