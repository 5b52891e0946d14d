#include "host/seal/root_key.hpp"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

#include "host/base/file.hpp"

namespace plexsphere::host::seal {
namespace {

constexpr std::string_view kIdInfo = "plexsphere/seal/1/root-key-id";

struct FreeKdf {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

Status refuse(const std::string& path, const std::string& why) {
  return {Code::kFailedPrecondition, "the root key file '" + path + "' " + why};
}

Result<std::string> path_of(const RootKeySource& source) {
  if (source.file.empty() == source.credential.empty()) {
    return {Code::kInvalidArgument,
            "set exactly one of seal.root_key_file and seal.root_key_credential"};
  }
  if (!source.file.empty()) {
    return source.file;
  }
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || source.credential.find('/') != std::string::npos) {
    return {Code::kFailedPrecondition,
            "the credential '" + source.credential +
                "' cannot be found: start the service by systemd with LoadCredential= (it sets "
                "CREDENTIALS_DIRECTORY), or use seal.root_key_file"};
  }
  return std::string{directory} + "/" + source.credential;
}

// `strict_owner` is off for systemd's own directory, whose files may belong to root.
Status check_file(int descriptor, const std::string& path, bool strict_owner) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    return refuse(path, "is not a regular file; name the file that holds the 32 bytes");
  }
  if (strict_owner && (info.st_mode & (S_IRWXG | S_IRWXO | S_IXUSR)) != 0) {
    return refuse(path, "is open to others; run chmod 0400 on it");
  }
  if (strict_owner && info.st_uid != ::geteuid()) {
    return refuse(path, "belongs to uid " + std::to_string(info.st_uid) +
                            ", but this process runs as uid " + std::to_string(::geteuid()) +
                            "; chown it");
  }
  if (info.st_size != static_cast<off_t>(kKeyBytes)) {
    return refuse(path, "has " + std::to_string(info.st_size) +
                            " bytes instead of 32; make one with: head -c 32 /dev/urandom");
  }
  return {};
}

}  // namespace

Result<RootKey> RootKey::load(const RootKeySource& source) {
  const Result<std::string> path = path_of(source);
  if (!path) {
    return path.status();
  }
  const FileDescriptor file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    return refuse(*path, "cannot be opened: " + error_text(errno));
  }
  if (Status status = check_file(file.get(), *path, source.credential.empty()); !status) {
    return status;
  }
  SecretBytes bytes(kKeyBytes);
  const auto span = bytes.span();
  if (::read(file.get(), span.data(), span.size()) != static_cast<ssize_t>(span.size())) {
    return refuse(*path, "cannot be read: " + error_text(errno));
  }
  if (std::ranges::adjacent_find(span, std::not_equal_to{}) == span.end()) {
    return refuse(*path,
                  "holds one byte repeated; make a random one with: head -c 32 /dev/urandom");
  }
  return RootKey(std::move(bytes));
}

Status RootKey::check(const RootKeySource& source) {
  return load(source).status();
}

RootKey::RootKey(SecretBytes bytes) : bytes_(std::move(bytes)) {
  const SecretBytes digest = derive(kIdInfo);
  for (const std::uint8_t byte : digest.span().first(8)) {
    id_.push_back("0123456789abcdef"[byte >> 4]);
    id_.push_back("0123456789abcdef"[byte & 15]);
  }
}

SecretBytes RootKey::derive(std::string_view info) const {
  const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, FreeKdf> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  std::string info_copy{info};
  auto* key = const_cast<std::uint8_t*>(bytes_.span().data());  // OpenSSL only reads it
  const std::array<OSSL_PARAM, 4> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, kKeyBytes),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_copy.data(), info_copy.size()),
      OSSL_PARAM_construct_end()};
  SecretBytes out(kKeyBytes);
  if (!context || EVP_KDF_derive(context.get(), out.span().data(), kKeyBytes, params.data()) != 1) {
    throw std::runtime_error("HKDF failed");
  }
  return out;
}

}  // namespace plexsphere::host::seal
