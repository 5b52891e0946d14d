#include "provider/software_provider.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace plexsphere::signing {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kSecretBytes = crypto_sign_SECRETKEYBYTES;
// 16 KiB of locked memory, inside the smallest RLIMIT_MEMLOCK in use (64 KiB).
constexpr std::size_t kCachedKeys = 256;

Fault seed_fault(const std::string& file, const std::string& wrong) {
  return {FaultKind::kProviderUnavailable, "seed file " + file + ": " + wrong};
}

// Closes a descriptor at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Outcome<Done> check_seed_file(const std::string& file, int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return seed_fault(file, std::strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) {
    return seed_fault(file, "is not a regular file");
  }
  const mode_t mode = info.st_mode & 07777;
  if (mode != 0400 && mode != 0600) {
    return seed_fault(file, "others may reach it; run chmod 0400 on it");
  }
  if (info.st_uid != geteuid()) {
    return seed_fault(file, "is not owned by the user the signer runs as; run chown on it");
  }
  if (info.st_size != static_cast<off_t>(kSeedBytes)) {
    return seed_fault(
        file, "must hold exactly 32 random bytes; it holds " + std::to_string(info.st_size));
  }
  return Done{};
}

bool read_exactly(int fd, std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = read(fd, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

SoftwareProvider::SoftwareProvider() : seed_(kSeedBytes), secrets_(kCachedKeys * kSecretBytes) {}

Outcome<std::unique_ptr<SoftwareProvider>> SoftwareProvider::open(const std::string& seed_file) {
  const Descriptor fd(::open(seed_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (fd.get() < 0) {
    return seed_fault(seed_file, std::strerror(errno));
  }
  if (const Outcome<Done> good = check_seed_file(seed_file, fd.get()); !good.ok()) {
    return good.fault();
  }
  try {
    std::unique_ptr<SoftwareProvider> provider(new SoftwareProvider());
    if (!read_exactly(fd.get(), provider->seed_.bytes())) {
      return seed_fault(seed_file, "could not be read");
    }
    return provider;
  } catch (const std::runtime_error& error) {
    return Fault{FaultKind::kProviderUnavailable, error.what()};
  }
}

std::span<std::uint8_t> SoftwareProvider::secret_at(std::size_t index) {
  return secrets_.bytes().subspan(index * kSecretBytes, kSecretBytes);
}

void SoftwareProvider::derive(const KeyName& name, std::span<std::uint8_t> secret_key) {
  const std::string info = name.purpose + "|" + name.scope + "|" + name.key_id;
  // The key's own seed is derived into the first half of its slot and overwritten in place.
  hkdf_sha512(seed_.bytes(), {reinterpret_cast<const std::uint8_t*>(info.data()), info.size()},
              secret_key.first(kSeedBytes));
  PublicKey public_key{};
  std::array<std::uint8_t, kSeedBytes> seed;
  std::memcpy(seed.data(), secret_key.data(), seed.size());
  crypto_sign_seed_keypair(public_key.data(), secret_key.data(), seed.data());
  sodium_memzero(seed.data(), seed.size());
}

std::size_t SoftwareProvider::take_index() {
  if (recent_.size() < kCachedKeys) {
    std::vector<bool> used(kCachedKeys);
    for (const Slot& slot : recent_) {
      used[slot.index] = true;
    }
    for (std::size_t index = 0; index < kCachedKeys; ++index) {
      if (!used[index]) {
        return index;
      }
    }
  }
  const std::size_t index = recent_.back().index;
  slots_.erase(recent_.back().name);
  recent_.pop_back();
  return index;
}

std::span<std::uint8_t> SoftwareProvider::secret_of(const KeyName& name) {
  if (const auto found = slots_.find(name); found != slots_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
    return secret_at(found->second->index);
  }
  const std::size_t index = take_index();
  derive(name, secret_at(index));
  recent_.push_front({name, index});
  slots_[name] = recent_.begin();
  return secret_at(index);
}

Outcome<PublicKey> SoftwareProvider::generate(const KeyName& name) {
  return public_key(name);
}

Outcome<PublicKey> SoftwareProvider::public_key(const KeyName& name) {
  const std::lock_guard guard(lock_);
  PublicKey key{};
  crypto_sign_ed25519_sk_to_pk(key.data(), secret_of(name).data());
  return key;
}

Outcome<Signature> SoftwareProvider::sign(const KeyName& name,
                                          std::span<const std::uint8_t> message) {
  const std::lock_guard guard(lock_);
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       secret_of(name).data());
  return signature;
}

void SoftwareProvider::retire(const KeyName& name) {
  const std::lock_guard guard(lock_);
  const auto found = slots_.find(name);
  if (found == slots_.end()) {
    return;
  }
  const std::span<std::uint8_t> secret = secret_at(found->second->index);
  sodium_memzero(secret.data(), secret.size());
  recent_.erase(found->second);
  slots_.erase(found);
}

}  // namespace plexsphere::signing
