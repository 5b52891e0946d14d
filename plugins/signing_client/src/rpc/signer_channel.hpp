// The core's connection to the signer: five asynchronous calls over a unix socket or mutual TLS.
//
// Thread safety: calls and wait_connected from any thread. Ownership: owns the channel and every
// call in flight. Errors: a signer that is away, refuses this process or answers nonsense is
// PX_UNAVAILABLE, reason "signing_unavailable"; a refusal of the request itself keeps the signer's
// status code, and its words become the reason ("signing: key retired" → "key_retired"). Every
// completion also says where the call stands in the signer's journal, as far as that is known.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/journal_mark.hpp"
#include "domain/key_set_view.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::signing_client {

struct ChannelSettings {
  std::string target;  // "unix:/path" or "tcp:host:port"
  std::string tls_ca;  // PEM files; used with tcp: only, and needed there
  std::string tls_cert;
  std::string tls_key;
  std::chrono::milliseconds deadline{5'000};  // of each call
};

// Judges the words without touching the network or the files.
[[nodiscard]] sdk::Status check_settings(const ChannelSettings& settings);

struct SignCall {
  std::string scope;
  Purpose purpose = Purpose::kEvents;
  std::string key_id;  // empty: the active key
  std::vector<std::string> messages;
};

struct SignAnswer {
  std::string key_id;
  std::string public_key;               // 32 raw bytes
  std::vector<std::string> signatures;  // 64 raw bytes each, one for each message
};

struct LastAnswer {
  std::uint64_t size = 0;
  std::string root;  // 32 raw bytes, or empty
  std::uint64_t epoch = 0;
  std::string restore;  // 32 raw bytes, or empty
};

class SignerChannel {
 public:
  // `place` has a mark whenever the result is good.
  template <class T>
  using Done = std::function<void(sdk::Result<T> result, JournalPlace place)>;
  using KeySet = std::optional<SignedDocument>;

  // Fails when a TLS file cannot be read; a signer that is away is no failure.
  static sdk::Result<std::unique_ptr<SignerChannel>> open(const ChannelSettings& settings);
  ~SignerChannel();
  SignerChannel(const SignerChannel&) = delete;
  SignerChannel& operator=(const SignerChannel&) = delete;

  // `done` comes exactly once, on one of gRPC's threads, which it must not hold up.
  void sign(const SignCall& call, const SignedDocument& key_set, Done<SignAnswer> done);
  // What was signed last of the scope's log.
  void last_checkpoint(const std::string& scope, const SignedDocument& key_set,
                       Done<LastAnswer> done);
  // The newest key set the signer knows of the scope.
  void fetch_key_set(const std::string& scope, const KeySet& key_set, Done<SignedDocument> done);
  void open_rotation(const std::string& scope, const std::string& new_key_id, const KeySet& key_set,
                     Done<SignedDocument> done);
  void close_rotation(const std::string& scope, const RotationView& rotation,
                      const SignedDocument& key_set, Done<SignedDocument> done);

  // Whether the signer lets this process in, waiting up to `limit` for a connection.
  [[nodiscard]] bool wait_connected(std::chrono::milliseconds limit);

  // Cancels calls in flight and waits until each has completed. Later calls complete as cancelled.
  void shut_down();

 private:
  class Impl;
  explicit SignerChannel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::signing_client
