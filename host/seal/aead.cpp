#include "host/seal/aead.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace plexsphere::host::seal {
namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

void require(int outcome) {
  if (outcome != 1) {
    throw std::runtime_error("AES-256-GCM failed in the library");
  }
}

int length(Bytes bytes) {
  return static_cast<int>(bytes.size());
}

}  // namespace

std::vector<std::uint8_t> aead_seal(Bytes key, Bytes additional, Bytes plaintext) {
  std::vector<std::uint8_t> out(kNonceBytes + plaintext.size() + kTagBytes);
  require(RAND_bytes(out.data(), kNonceBytes));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  require(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), out.data()));
  require(
      EVP_EncryptUpdate(cipher.get(), nullptr, &written, additional.data(), length(additional)));
  require(EVP_EncryptUpdate(cipher.get(), out.data() + kNonceBytes, &written, plaintext.data(),
                            length(plaintext)));
  require(EVP_EncryptFinal_ex(cipher.get(), out.data() + kNonceBytes + written, &written));
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes,
                              out.data() + out.size() - kTagBytes));
  return out;
}

std::optional<SecretBytes> aead_open(Bytes key, Bytes additional, Bytes blob) {
  if (blob.size() < kNonceBytes + kTagBytes) {
    return std::nullopt;
  }
  const Bytes ciphertext = blob.subspan(kNonceBytes, blob.size() - kNonceBytes - kTagBytes);
  std::vector<std::uint8_t> tag(blob.end() - kTagBytes, blob.end());
  SecretBytes plaintext(ciphertext.size());
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  require(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), blob.data()));
  require(
      EVP_DecryptUpdate(cipher.get(), nullptr, &written, additional.data(), length(additional)));
  require(EVP_DecryptUpdate(cipher.get(), plaintext.span().data(), &written, ciphertext.data(),
                            length(ciphertext)));
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()));
  if (EVP_DecryptFinal_ex(cipher.get(), plaintext.span().data() + written, &written) != 1) {
    return std::nullopt;
  }
  return plaintext;
}

AdditionalData& AdditionalData::add(std::string_view part) {
  return add(Bytes{reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
}

AdditionalData& AdditionalData::add(Bytes part) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes_.push_back(static_cast<std::uint8_t>(part.size() >> shift));
  }
  bytes_.insert(bytes_.end(), part.begin(), part.end());
  return *this;
}

}  // namespace plexsphere::host::seal
