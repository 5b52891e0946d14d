// Clients of both replicas that change things, read, are refused, and look up what the audit log
// says of it, all the while, and note in the ledger what they were told.
//
// Thread safety: pause, resume and the destructor from one thread. Owns the clients' threads; views
// the site and the ledger.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "soak/audit/ledger.hpp"
#include "soak/audit/site.hpp"

namespace plexsphere::soak {

class Load {
 public:
  // Paused at first.
  Load(const AuditSite& site, Ledger& ledger, int clients);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void resume();
  // Returns when no request is under way. Throws what a client met that no crash explains: another
  // answer than it should have, or an acknowledged entry that the audit log does not show.
  void pause();

 private:
  struct Client {
    int number = 0;
    std::uint64_t steps = 0;
  };

  void run(Client client);
  // Waits until the load runs; false when it is over.
  bool may_go_on();
  void step(Client& client);
  Attempt act(Client& client, std::size_t replica) const;
  // Asks, and gives the body of an acknowledged answer.
  std::string send(Attempt& attempt, std::size_t replica, const std::string& method,
                   const std::string& path, const std::string& body = {}) const;
  void read_back(const Attempt& attempt, const std::string& chain, std::size_t expected,
                 std::size_t replica);

  const AuditSite* site_;
  Ledger* ledger_;
  mutable std::atomic<std::uint64_t> numbers_{0};  // of requests and of what they make

  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false;  // these under mutex_
  bool over_ = false;
  int busy_ = 0;
  std::string fault_;  // the first
  std::vector<std::thread> threads_;
};

}  // namespace plexsphere::soak
