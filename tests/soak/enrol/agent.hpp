// An agent that enrols against a control plane that keeps dying: it tries again until it is told.
//
// Not thread-safe; each agent has its thread. Views the site.
#pragma once

#include <string>
#include <vector>

#include "soak/enrol/site.hpp"

namespace plexsphere::soak {

class Agent {
 public:
  Agent(const EnrolSite& site, Wanted wanted) : site_(&site), wanted_(std::move(wanted)) {}

  // Registers, the same request again and again as an agent does, until there is an answer 201.
  // Throws when the answer is final and another, or none comes within half a minute.
  void enrol();
  // Why the Node is not one: another Node or address than before, a key before the last that still
  // opens, the last one that does not. Empty when all is well. Uses the last key for the first
  // time.
  std::string fault() const;

 private:
  struct Told {
    std::string node_id;
    std::string mesh_ip;
    std::string bearer;
  };
  static Told read(const std::string& body);
  // "200", or status and code: what the key gets.
  std::string use(const Told& told) const;

  const EnrolSite* site_;
  Wanted wanted_;
  std::vector<Told> told_;  // every 201, oldest first
};

// A client that sends a request and hangs up without waiting for the answer. Owns its connection.
class HalfClient {
 public:
  // Throws std::system_error.
  HalfClient(const std::string& url, const std::string& body);
  ~HalfClient();
  HalfClient(const HalfClient&) = delete;
  HalfClient& operator=(const HalfClient&) = delete;

 private:
  int socket_ = -1;
};

}  // namespace plexsphere::soak
