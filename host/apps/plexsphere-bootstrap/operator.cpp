#include "host/apps/plexsphere-bootstrap/operator.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <pqxx/result_iterator.hxx>

#include "host/base/uuid.hpp"
#include "host/persistence/session.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::apps {
namespace {

using persistence::StoreError;
using seal::SecretBytes;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxName = 255;

// Length of base32 without padding.
constexpr std::size_t base32_length(std::size_t bytes) {
  return (bytes * 8 + 4) / 5;
}

// Writes base32 straight into locked memory: the secret never lies in a plain string.
std::size_t write_base32(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> out) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::uint32_t buffer = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const std::uint8_t byte : bytes) {
    buffer = ((buffer << 8) | byte) & 0xFFFF;
    for (held += 8; held >= 5; held -= 5) {
      out[at++] = static_cast<std::uint8_t>(alphabet[(buffer >> (held - 5)) & 31]);
    }
  }
  if (held > 0) {
    out[at++] = static_cast<std::uint8_t>(alphabet[(buffer << (5 - held)) & 31]);
  }
  return at;
}

SecretBytes token_text(const std::string& environment, const UuidBytes& id,
                       const SecretBytes& secret) {
  const std::string head = "psk_" + environment + "_";
  SecretBytes out(head.size() + base32_length(id.size()) + 1 + base32_length(kSecretBytes));
  std::span<std::uint8_t> rest = out.span();
  std::ranges::copy(head, rest.begin());
  rest = rest.subspan(head.size());
  rest = rest.subspan(write_base32(id, rest));
  rest[0] = '_';
  write_base32(secret.span(), rest.subspan(1));
  return out;
}

void check(const OperatorRequest& request) {
  const bool letters =
      !request.environment.empty() && request.environment.size() <= 32 &&
      std::ranges::all_of(request.environment, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!letters) {
    throw StoreError(
        PX_INVALID_ARGUMENT, "environment",
        "--environment takes 1 to 32 letters a to z, not '" + request.environment + "'");
  }
  if (request.name.empty() || request.name.size() > kMaxName) {
    throw StoreError(PX_INVALID_ARGUMENT, "name", "--name takes 1 to 255 characters");
  }
}

std::string bytea_text(std::span<const std::uint8_t> bytes) {
  std::string out = "\\x";
  for (const std::uint8_t byte : bytes) {
    out.push_back("0123456789abcdef"[byte >> 4]);
    out.push_back("0123456789abcdef"[byte & 15]);
  }
  return out;
}

// 42883: no such function; 3F000: no such schema.
[[noreturn]] void explain(const StoreError& error) {
  if (error.sqlstate() == "42883" || error.sqlstate() == "3F000") {
    throw StoreError(PX_FAILED_PRECONDITION, "not_migrated",
                     "the database has no identity or authz schema yet: enable both contexts and "
                     "run plexsphere-bootstrap migrate first");
  }
  throw error;
}

}  // namespace

OperatorToken create_operator(const std::string& admin_dsn, const OperatorRequest& request) {
  check(request);
  const UuidBytes token_id = make_uuid7();
  SecretBytes secret(kSecretBytes);
  ::randombytes_buf(secret.span().data(), kSecretBytes);
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  ::crypto_hash_sha256(digest.data(), secret.span().data(), kSecretBytes);

  OperatorToken token;
  token.user_id = make_uuid7_text();
  token.token_id = to_text(token_id);
  token.environment = request.environment;
  token.plaintext = token_text(request.environment, token_id, secret);

  persistence::SessionOptions options;
  options.dsn = admin_dsn;
  options.application_name = "plexsphere-bootstrap";
  persistence::Session session(options);
  session.begin({});
  try {
    const std::string days = std::to_string(request.days);
    const auto expires = session.run(
        "SELECT to_char((now() + make_interval(days => $1::int)) AT TIME ZONE 'UTC', "
        "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        {days});
    token.expires_at = expires[0][0].c_str();
    session.run(
        "SELECT identity.port_bootstrap_operator($1::uuid, $2::text, $3::uuid, $4::bytea, "
        "$5::text, $6::timestamptz)",
        {token.user_id, request.name, token.token_id, bytea_text(digest), request.environment,
         token.expires_at});
    session.run("SELECT authz.port_bootstrap_platform_admin($1::uuid)", {token.user_id});
    session.commit();
  } catch (const StoreError& error) {
    session.rollback();
    explain(error);
  }
  return token;
}

}  // namespace plexsphere::host::apps
