#include "app/digest.hpp"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>

#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::audit {
namespace {

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kSubjectSize = 16;
constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// One digest, fetched once, and one context that is used again and again: OpenSSL 3 takes longer to
// find the one and make the other than to hash an entry.
class Sha256 {
 public:
  static Sha256& of_this_thread() {
    thread_local Sha256 instance;
    return instance;
  }

  std::string of(std::initializer_list<std::string_view> parts) {
    std::string out(kDigestSize, '\0');
    bool done =
        digest_ && context_ && EVP_DigestInit_ex2(context_.get(), digest_.get(), nullptr) == 1;
    for (const std::string_view part : parts) {
      done = done && EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1;
    }
    if (!done || EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()),
                                    nullptr) != 1) {
      throw std::runtime_error("OpenSSL has no SHA-256");
    }
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  const std::unique_ptr<EVP_MD, Free> digest_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  const std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

}  // namespace

std::string sha256(std::string_view bytes) {
  return Sha256::of_this_thread().of({bytes});
}

std::string entry_hash(std::string_view prev, std::string_view canonical) {
  Sha256& digest = Sha256::of_this_thread();
  return digest.of({prev, digest.of({canonical})});
}

sdk::Result<std::string> subject_bytes(std::string_view type, std::string_view id) {
  if (id.empty()) {
    return std::string(kSubjectSize, '\0');
  }
  if (type == "system") {
    return sha256("plexsphere.audit.system:" + std::string(id)).substr(0, kSubjectSize);
  }
  if (const auto uuid = sdk::Uuid::parse(id)) {
    return std::string(uuid->bytes());
  }
  return sdk::Error{
      sdk::Code::invalid_argument, "invalid_subject",
      "The subject of type \"" + std::string(type.substr(0, 64)) + "\" needs a UUID as its id."};
}

std::string person_bytes(std::string_view id) {
  if (const auto uuid = sdk::Uuid::parse(id)) {
    return std::string(uuid->bytes());
  }
  return sha256("plexsphere.audit.person:" + std::string(id)).substr(0, kSubjectSize);
}

std::string pseudonym(std::string_view pepper, std::string_view subject) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, raw(pepper), pepper.size());
  crypto_hash_sha256_update(&state, raw(subject), subject.size());
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
  sodium_memzero(&state, sizeof state);
  return out;
}

Address parse_address(const std::string& text) {
  Address out{std::string(16, '\0'), std::string(INET6_ADDRSTRLEN, '\0')};
  if (inet_pton(AF_INET, text.c_str(), out.bytes.data() + kMapped.size()) == 1) {
    std::memcpy(out.bytes.data(), kMapped.data(), kMapped.size());
  } else if (inet_pton(AF_INET6, text.c_str(), out.bytes.data()) != 1) {
    return {};
  }
  const bool v4 = out.bytes.starts_with(kMapped);
  inet_ntop(v4 ? AF_INET : AF_INET6, out.bytes.data() + (v4 ? kMapped.size() : 0), out.text.data(),
            static_cast<socklen_t>(out.text.size()));
  out.text.resize(std::strlen(out.text.c_str()));
  return out;
}

std::string context_hash(std::string_view salt, const Address& address,
                         std::string_view user_agent) {
  std::string joined(salt);
  joined += address.bytes.empty() ? std::string(16, '\0') : address.bytes;
  joined += user_agent;
  return sha256(joined);
}

}  // namespace plexsphere::audit
