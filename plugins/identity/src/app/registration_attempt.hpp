// What registration.cpp, enrolment.cpp and replay.cpp share; private to them.
#pragma once

#include "app/registration.hpp"

namespace plexsphere::identity {

struct Registration::Attempt {
  RegisterCommand command;
  Done done;
  Admission::Ticket ticket;
  std::string public_key;    // 32 raw bytes
  std::string nonce_sha256;  // 32 bytes
  TokenSecretRecord token;   // filled once the selector was found
};

struct Registration::NewKey {
  SecretText plaintext;  // 32 raw bytes
  SecretKeyRecord record;
};

// The refusals of a proven token.
inline sdk::Error token_refusal(std::string_view code) {
  const auto detail = [code]() -> std::string {
    if (code == "token_revoked") {
      return "The bootstrap token was revoked; ask for a new one.";
    }
    if (code == "token_consumed") {
      return "The bootstrap token has enrolled a Node already; ask for a new one.";
    }
    if (code == "token_expired") {
      return "The bootstrap token has expired; ask for a new one.";
    }
    if (code == "project_mismatch") {
      return "The bootstrap token belongs to another Project.";
    }
    if (code == "kind_mismatch") {
      return "The bootstrap token is for another kind of Resource.";
    }
    return "The nonce has enrolled a Node in this Project already; make a new one.";
  };
  return {sdk::Code::permission_denied, std::string(code), detail()};
}

inline sdk::Error resource_missing() {
  return {sdk::Code::not_found, "resource_not_found",
          "\"resource_handle\" names no Resource of this Project."};
}

// What a port said, as the contract's answer to the agent.
inline sdk::Error translated(sdk::Error error) {
  if (error.code == sdk::Code::not_found) {
    return resource_missing();
  }
  if (error.reason == "bootstrap_token_nonce") {
    return token_refusal("nonce_collision");
  }
  if (error.reason == "lock_timeout") {
    return {sdk::Code::unavailable, "allocator_contention",
            "Too many registrations in this Domain at once; try again."};
  }
  return error;
}

inline sdk::Error signing_away() {
  return {sdk::Code::unavailable, "signing_unavailable",
          "The Domain's signing key is not known at the moment; try again."};
}

}  // namespace plexsphere::identity
