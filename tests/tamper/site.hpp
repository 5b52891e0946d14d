// The chain, an attacker, and those who look for what the attacker did.
//
// The attacker is a superuser of the database: triggers are off in this session, and what the
// schema would refuse by constraints is no longer refused. What the attacker does is committed,
// seen by whoever looks, and taken back from copies of the tables: the chain is built once.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/persistence/session.hpp"
#include "tamper/examiner.hpp"
#include "tamper/origin.hpp"

namespace plexsphere::tamper {

// What is found of the chain, as the quarantine has it: "7 content_differs", several separated by
// commas, or nothing.
struct Verdicts {
  std::string verify;   // POST …/audit/verify of the whole chain
  std::string probe;    // the readiness probe's look at the ends of chains
  std::string fresh;    // the watch of a process that starts now
  std::string running;  // the watch of one that has read the chain before

  bool operator==(const Verdicts&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Verdicts& verdicts);

class Site {
 public:
  Site();

  Origin& origin() { return origin_; }
  const sdk::Uuid& chain() const { return origin_.chain(); }
  const Examiner& examiner() const { return examiner_; }
  // Sizes of its checkpoints, ascending.
  const std::vector<std::int64_t>& checkpoints() const { return checkpoints_; }

  // One of the attacker's statements, or several; the first cell of the last one's result.
  std::string attack(const std::string& sql);
  // The row that ends so, "WHERE ctid = …", as that entry was.
  void put_back(std::int64_t seq, const std::string& at);
  // Everything in the database as it was.
  void undo();

  // Who looks: one after the other, each with a quarantine of its own.
  Verdicts look();
  // For the verifier, and again for the process that has read the chain before.
  bool holds();
  // From now on the process that has read the chain before is one that has read it as it is, and
  // begins again with the first entry.
  void read_anew();
  // What `segment` of the chain is found to be.
  std::string verify(const audit::Segment& segment = {});
  // What is in the quarantine of the chain; it is empty then.
  std::string found();

 private:
  void arm();
  std::string look_again();

  Origin origin_;
  Examiner examiner_;
  host::persistence::Session attacker_;
  std::vector<std::int64_t> checkpoints_;
  std::unique_ptr<audit::ChainWatch> running_;
};

// The one of the program.
Site& site();

}  // namespace plexsphere::tamper
