#include "sim/node.hpp"

#include <sodium.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sim {

using nlohmann::json;

namespace {

constexpr const char* kBinaryVersion = "plexd-sim/0.1";

std::string now_text() {
  return sdk::rfc3339(
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
}

// Any 32 bytes will do as long as they are stable; an agent sends the digest of its own binary.
std::string binary_checksum() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(kBinaryVersion),
                     std::char_traits<char>::length(kBinaryVersion));
  return sdk::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string bearer_of(const std::string& node_id, const std::string& nsk_base64) {
  const auto id = sdk::Uuid::parse(node_id);
  const auto key = sdk::base64_decode(nsk_base64);
  if (!id || !key || key->size() != 32) {
    throw std::runtime_error("register answered a node_id or nsk that is not well-formed");
  }
  return "nsk_plexd_" + sdk::base64url_encode(std::string(id->bytes()) + *key);
}

MeshKey make_mesh_key() {
  std::array<unsigned char, crypto_box_PUBLICKEYBYTES> public_key;
  std::array<unsigned char, crypto_box_SECRETKEYBYTES> private_key;
  crypto_box_keypair(public_key.data(), private_key.data());
  const auto text = [](const auto& bytes) {
    return sdk::base64_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  return {text(public_key), text(private_key)};
}

std::string make_nonce() {
  std::array<char, 16> bytes;
  sdk::random_bytes(bytes.data(), bytes.size());
  return sdk::hex_encode({bytes.data(), bytes.size()});
}

Node::Node(std::string base_url, MeshKey key, const json& answer)
    : base_(std::move(base_url)),
      key_(std::move(key)),
      id_(answer.at("node_id").get<std::string>()),
      mesh_ip_(answer.at("mesh_ip").get<std::string>()),
      signing_key_{answer.at("signing_key_id").get<std::string>(),
                   answer.at("signing_public_key").get<std::string>()},
      bearer_(bearer_of(id_, answer.at("nsk").get<std::string>())),
      peers_at_enrolment_(answer.at("peer_snapshot").size()) {}

Node Node::enrol(const std::string& base_url, const Enrolment& enrolment) {
  MeshKey key = make_mesh_key();
  const json answer = Api(base_url, "")
                          .post("/v1/register", {{"project_id", enrolment.project_id},
                                                 {"resource_handle", enrolment.resource_handle},
                                                 {"bootstrap_token", enrolment.bootstrap_token},
                                                 {"nonce", enrolment.nonce},
                                                 {"public_key", key.public_key}});
  return {base_url, std::move(key), answer};
}

HeartbeatAnswer Node::beat() const {
  const json answer = api().post(path("/heartbeat"), {{"client_now", now_text()},
                                                      {"binary_checksum", binary_checksum()},
                                                      {"binary_version", kBinaryVersion},
                                                      {"nat_summary", json::object()}});
  return {answer.at("accepted_at").get<std::string>(), answer.at("reconcile").get<bool>(),
          answer.at("rotate_keys").get<bool>()};
}

json Node::state() const {
  return api().get(path("/state"));
}

json Node::reachability() const {
  return api().get(path("/reachability"));
}

EventStream Node::events(const std::string& last_event_id) const {
  return {base_, path("/events"), bearer_, last_event_id};
}

void Node::report_endpoint(const std::string& host_and_port) const {
  (void)api().put(
      path("/endpoint"),
      {{"endpoint", host_and_port}, {"nat_type", "full_cone"}, {"reported_at", now_text()}});
}

void Node::report_capabilities() const {
  (void)api().put(path("/capabilities"),
                  {{"binary_version", kBinaryVersion}, {"binary_checksum", binary_checksum()}});
}

void Node::put_report(const std::string& key, const std::string& value) const {
  (void)api().put(path("/state/reports/" + key), {{"value", value}});
}

void Node::delete_report(const std::string& key) const {
  api().remove(path("/state/reports/" + key));
}

void Node::rotate_key() {
  MeshKey next = make_mesh_key();
  (void)api().post("/v1/keys/rotate", {{"new_public_key", next.public_key}});
  key_ = std::move(next);
}

void Node::deregister() const {
  (void)api().post(path("/deregister"), json::object());
}

}  // namespace plexsphere::sim
