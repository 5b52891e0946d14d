#include "host/http/tls/pem.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string>
#include <utility>

#include "host/base/file.hpp"

namespace plexsphere::host::http::tls {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 1024 * 1024;

// The bytes of a file, zeroed when they are not needed any more: one of them is a private key.
class Content {
 public:
  explicit Content(std::size_t size) : bytes_(size) {}
  ~Content() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  Content(Content&&) noexcept = default;
  Content& operator=(Content&&) = delete;
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  std::vector<char>& bytes() { return bytes_; }

 private:
  std::vector<char> bytes_;
};

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPointer = std::unique_ptr<BIO, FreeBio>;

std::string named(const char* kind, const fs::path& file) {
  return std::string("TLS ") + kind + " '" + file.string() + "'";
}

Status refused(const char* kind, const fs::path& file, const std::string& cause) {
  return {Code::kFailedPrecondition, named(kind, file) + " " + cause};
}

Status unreadable(const char* kind, const fs::path& file, int error) {
  return refused(kind, file, "cannot be read: " + error_text(error));
}

Status check_key_mode(const fs::path& file, mode_t mode) {
  if ((mode & (S_IRWXO | S_IWGRP)) == 0) {
    return {};
  }
  return refused("key", file,
                 "can be read or changed by others than its owner: run chmod 0640 (or 0600) on it");
}

Result<Content> read_bytes(int descriptor, std::size_t size, const char* kind,
                           const fs::path& file) {
  Content content(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor, content.bytes().data() + done, size - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return unreadable(kind, file, errno);
    }
    if (got == 0) {
      return refused(kind, file, "became shorter while it was read: try again");
    }
    done += static_cast<std::size_t>(got);
  }
  return content;
}

Result<Content> read_file(const char* kind, const fs::path& file, bool secret) {
  // Not blocking, so that a named pipe in its place is refused below instead of waited for.
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat found {};
  if (!opened || ::fstat(opened.get(), &found) != 0) {
    return unreadable(kind, file, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return refused(kind, file, "is no regular file");
  }
  if (secret) {
    if (Status mode = check_key_mode(file, found.st_mode); !mode) {
      return mode;
    }
  }
  const auto size = static_cast<std::size_t>(found.st_size);
  if (size > kMaxFile) {
    return refused(kind, file, "is larger than 1 MiB");
  }
  return read_bytes(opened.get(), size, kind, file);
}

BioPointer reader(Content& content) {
  return BioPointer(
      BIO_new_mem_buf(content.bytes().data(), static_cast<int>(content.bytes().size())));
}

// Gives OpenSSL no passphrase; by itself it would ask on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// Whether the failures on this thread say no more than that the PEM file has come to its end.
bool at_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

Status read_certificates(const fs::path& file, KeyPair& pair) {
  auto content = read_file("certificate", file, false);
  if (!content) {
    return content.status();
  }
  ERR_clear_error();
  const BioPointer bio = reader(*content);
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    X509Pointer certificate(next);
    if (!pair.leaf) {
      pair.leaf = std::move(certificate);
    } else {
      pair.chain.push_back(std::move(certificate));
    }
  }
  if (!at_end_of_pem()) {
    return refused("certificate", file, "has a PEM block that is broken: " + take_openssl_error());
  }
  ERR_clear_error();
  return pair.leaf ? Status()
                   : refused("certificate", file, "holds no PEM block 'BEGIN CERTIFICATE'");
}

Status read_key(const fs::path& file, KeyPair& pair) {
  auto content = read_file("key", file, true);
  if (!content) {
    return content.status();
  }
  ERR_clear_error();
  const BioPointer bio = reader(*content);
  pair.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!pair.key) {
    return refused("key", file,
                   "holds no PEM private key without a passphrase: " + take_openssl_error());
  }
  return {};
}

Result<std::int64_t> expiry(const X509* certificate, const fs::path& file) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) {
    return refused("certificate", file, "has no readable date of expiry");
  }
  return static_cast<std::int64_t>(::timegm(&time));
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long error = ERR_peek_last_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  std::string words = text == nullptr ? "no reason given" : text;
  ERR_clear_error();
  return words;
}

Result<KeyPair> read_key_pair(const CertificateFiles& files) {
  KeyPair pair;
  if (Status read = read_certificates(files.certificate, pair); !read) {
    return read;
  }
  if (Status read = read_key(files.key, pair); !read) {
    return read;
  }
  if (X509_check_private_key(pair.leaf.get(), pair.key.get()) != 1) {
    ERR_clear_error();
    return refused("key", files.key,
                   "does not belong to the first certificate in '" + files.certificate.string() +
                       "': the leaf comes first in that file, then its chain");
  }
  const auto not_after = expiry(pair.leaf.get(), files.certificate);
  if (!not_after) {
    return not_after.status();
  }
  pair.not_after = *not_after;
  return pair;
}

}  // namespace plexsphere::host::http::tls
