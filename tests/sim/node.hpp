// A Node agent, as far as the control plane can tell: keys, enrolment, heartbeats, what it reports
// of itself, its desired state, its event stream, and its leave.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/api.hpp"
#include "sim/event_stream.hpp"

namespace plexsphere::sim {

// One registration's inputs. `nonce` stays the same over every attempt of one registration.
struct Enrolment {
  std::string project_id;
  std::string resource_handle;
  std::string bootstrap_token;
  std::string nonce;
};

// An X25519 key pair (RFC 7748) of the simulated WireGuard interface; base64 of the public half.
struct MeshKey {
  std::string public_key;
  std::string private_key;
};
MeshKey make_mesh_key();
// A random text fit for a registration nonce.
std::string make_nonce();

// The credential of the agent that a registration told this key: nsk_<env>_<base64url(id ‖ key)>.
// Throws std::runtime_error when one of the two is not well-formed.
std::string bearer_of(const std::string& node_id, const std::string& nsk_base64);

// What a heartbeat's answer says.
struct HeartbeatAnswer {
  std::string accepted_at;
  bool reconcile = false;    // pull the state
  bool rotate_keys = false;  // make a new mesh key
};

// The key that signs a Domain's events, as registration tells it.
struct SigningKey {
  std::string id;
  std::string public_key;  // base64
};

// An enrolled agent. Not thread-safe. Every call throws ApiError when it is refused.
class Node {
 public:
  // Enrols through POST /v1/register. Throws ApiError with the refusal's code.
  static Node enrol(const std::string& base_url, const Enrolment& enrolment);

  const std::string& id() const { return id_; }
  const std::string& mesh_ip() const { return mesh_ip_; }
  const std::string& bearer() const { return bearer_; }
  const MeshKey& key() const { return key_; }
  const SigningKey& signing_key() const { return signing_key_; }
  std::size_t peers_at_enrolment() const { return peers_at_enrolment_; }

  HeartbeatAnswer beat() const;
  // The same; the answer's accepted_at.
  std::string heartbeat() const { return beat().accepted_at; }
  nlohmann::json state() const;
  nlohmann::json reachability() const;
  // After the last event of an earlier stream, unless `last_event_id` is empty.
  EventStream events(const std::string& last_event_id = {}) const;

  void report_endpoint(const std::string& host_and_port) const;
  void report_capabilities() const;
  void put_report(const std::string& key, const std::string& value) const;
  void delete_report(const std::string& key) const;
  // Answers the hint of a heartbeat: a new mesh key, which is this Node's when the server has it.
  void rotate_key();
  // Ends the Node; nothing of it works afterwards.
  void deregister() const;

 private:
  Node(std::string base_url, MeshKey key, const nlohmann::json& answer);

  Api api() const { return {base_, bearer_}; }
  std::string path(const std::string& tail) const { return "/v1/nodes/" + id_ + tail; }

  std::string base_;
  MeshKey key_;
  std::string id_;
  std::string mesh_ip_;
  SigningKey signing_key_;
  std::string bearer_;  // nsk_<env>_<base64url(node id ‖ key)>
  std::size_t peers_at_enrolment_ = 0;
};

}  // namespace plexsphere::sim
