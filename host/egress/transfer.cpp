#include "host/egress/transfer.hpp"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>

#include "host/base/build_info.hpp"

namespace plexsphere::host::egress {
namespace {

constexpr std::size_t kMostResponseHeaderBytes = 64 * 1024;

// libcurl copies credentials and keeps parts of requests; nothing of it stays in the heap.
void wiping_free(void* memory) {
  if (memory != nullptr) {
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
  }
}

void* wiping_realloc(void* memory, std::size_t size) {
  if (memory == nullptr) {
    return std::malloc(size);
  }
  void* moved = std::malloc(size);
  if (moved != nullptr) {
    std::memcpy(moved, memory, std::min(size, ::malloc_usable_size(memory)));
    wiping_free(memory);
  }
  return moved;
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code == CURLE_OUT_OF_MEMORY) {
    throw std::bad_alloc();
  }
  if (code != CURLE_OK) {
    throw std::logic_error(std::string("libcurl refused an option: ") + curl_easy_strerror(code));
  }
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  std::string out;
  for (const unsigned char byte : digest) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Whether the operator's grant is this very address, in any of its forms.
bool granted_literally(const std::string& host) {
  in_addr v4{};
  return host.find(':') != std::string::npos || ::inet_pton(AF_INET, host.c_str(), &v4) == 1;
}

}  // namespace

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] {
    const auto duplicate = [](const char* text) -> char* { return ::strdup(text); };
    const CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, wiping_free,
                                               wiping_realloc, duplicate, std::calloc);
    if (code != CURLE_OK) {
      throw std::runtime_error(std::string("libcurl cannot be used: ") + curl_easy_strerror(code));
    }
  });
}

bool is_link_local(const sockaddr& address) {
  constexpr std::array<unsigned char, 16> kAmazonMetadata{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0,    0,
                                                          0,    0,    0,    0,    0, 0, 0x02, 0x54};
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return (ntohl(v4.sin_addr.s_addr) >> 16) == 0xA9FE;
  }
  if (address.sa_family != AF_INET6) {
    return false;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  const auto* bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    return bytes[12] == 0xA9 && bytes[13] == 0xFE;
  }
  return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ||
         std::equal(kAmazonMetadata.begin(), kAmazonMetadata.end(), bytes);
}

Transfer::Transfer(Request& request) : request_(request), handle_(curl_easy_init()) {
  if (!handle_) {
    throw std::bad_alloc();
  }
  CURL* curl = handle_.get();
  set(curl, CURLOPT_ERRORBUFFER, error_.data());
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_QUICK_EXIT, 1L);  // a resolver that does not answer holds up nobody else
  set(curl, CURLOPT_URL, request.url().c_str());
  set(curl, CURLOPT_PATH_AS_IS, 1L);
  set(curl, CURLOPT_PROTOCOLS_STR, request.origin.plaintext ? "http" : "https");
  set(curl, CURLOPT_PROXY, "");  // and none of the environment either
  set(curl, CURLOPT_NOPROXY, "*");
  set(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(curl, CURLOPT_USERAGENT, ("plexsphere/" + std::string(build_info().version)).c_str());
  set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.ca_file.empty()) {
    set(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    set(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(curl, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  set(curl, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(curl, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(curl, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(this));
  add_header("Host: " + request.origin.authority());
  for (const auto& [name, value] : request.headers) {
    add_header(name + ": " + value);
  }
  set_body();
  if (request.signature) {
    sign();
  }
  set(curl, CURLOPT_HTTPHEADER, headers_.get());
  if (!request.connect_to.empty()) {
    connect_to_.reset(curl_slist_append(nullptr, ("::" + request.connect_to).c_str()));
    set(curl, CURLOPT_CONNECT_TO, connect_to_.get());
  }
  // The engine enforces the deadline; this only keeps libcurl's own from being shorter.
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      request.deadline - std::chrono::steady_clock::now());
  const long most = std::max<long>(1, static_cast<long>(left.count())) + 1000;
  set(curl, CURLOPT_TIMEOUT_MS, most);
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, most);
}

void Transfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  if (longer == nullptr) {
    throw std::bad_alloc();
  }
  (void)headers_.release();
  headers_.reset(longer);
}

void Transfer::set_body() {
  CURL* curl = handle_.get();
  const bool carries = request_.method == "PUT" || request_.method == "POST" ||
                       request_.method == "PATCH" || !request_.body.empty();
  if (request_.method == "HEAD") {
    set(curl, CURLOPT_NOBODY, 1L);
  } else if (carries) {
    // As an upload, for a form's Content-Type would come with the other way.
    set(curl, CURLOPT_UPLOAD, 1L);
    set(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(curl, CURLOPT_READFUNCTION, &Transfer::on_read);
    set(curl, CURLOPT_READDATA, static_cast<void*>(this));
    set(curl, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
    set(curl, CURLOPT_SEEKDATA, static_cast<void*>(this));
    set(curl, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  } else {
    set(curl, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void Transfer::sign() {
  CURL* curl = handle_.get();
  Signature& signature = *request_.signature;
  // Other services than S3 may do without, but libcurl would take an upload for empty then.
  if (signature.service == "s3" || !request_.body.empty()) {
    add_header("x-amz-content-sha256: " + sha256_hex(request_.body));
  }
  const std::string how = "aws:amz:" + signature.region + ":" + signature.service;
  set(curl, CURLOPT_AWS_SIGV4, how.c_str());
  set(curl, CURLOPT_USERNAME, signature.access_key_id.c_str());
  std::string key(signature.secret_key.view());
  set(curl, CURLOPT_PASSWORD, key.c_str());
  ::explicit_bzero(key.data(), key.size());
  signature.secret_key = config::Secret();
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  try {
    const std::string_view line(data, size * count);
    return static_cast<Transfer*>(self)->take_header(line) ? line.size() : 0;
  } catch (...) {
    return 0;
  }
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMostResponseHeaderBytes) {
    too_large_ = true;
    return false;
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // what came before was an interim answer's (RFC 9110, 15.2)
    return true;
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    response_.headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  }
  return true;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  if (bytes > transfer.request_.max_response_bytes - transfer.response_.body.size()) {
    transfer.too_large_ = true;
    return 0;
  }
  try {
    transfer.response_.body.append(data, bytes);
    return bytes;
  } catch (...) {
    return 0;
  }
}

std::size_t Transfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string& body = transfer.request_.body;
  const std::size_t bytes = std::min(size * count, body.size() - transfer.body_sent_);
  std::memcpy(into, body.data() + transfer.body_sent_, bytes);
  transfer.body_sent_ += bytes;
  return bytes;
}

// libcurl begins anew when a kept connection turns out to be closed.
int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (origin != SEEK_SET || offset < 0 ||
      static_cast<std::size_t>(offset) > transfer.request_.body.size()) {
    return CURL_SEEKFUNC_CANTSEEK;
  }
  transfer.body_sent_ = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (is_link_local(address->addr) && !granted_literally(transfer.request_.origin.host)) {
    transfer.address_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Outcome Transfer::outcome(CURLcode code) {
  if (code != CURLE_OK) {
    return {std::nullopt, fault(code)};
  }
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 599) {
    return {std::nullopt,
            {Code::kUnknown, "broken", "the answer has the status " + std::to_string(status)}};
  }
  response_.status = static_cast<int>(status);
  return {std::move(response_), {}};
}

Fault Transfer::fault(CURLcode code) const {
  const std::string what = request_.origin.text() + ": " +
                           (error_[0] != '\0' ? error_.data() : curl_easy_strerror(code));
  if (too_large_) {
    return {Code::kResourceExhausted, "response_too_large",
            request_.origin.text() + ": the answer is larger than the request takes"};
  }
  switch (code) {
    case CURLE_OUT_OF_MEMORY:
      return {Code::kResourceExhausted, "egress_full", "there is no memory for the request"};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Code::kUnavailable, "unresolved", what};
    case CURLE_COULDNT_CONNECT:
      if (address_refused_) {
        return {Code::kPermissionDenied, "address_refused",
                request_.origin.text() +
                    ": the name stands for a link-local address; grant the address itself if that "
                    "is meant"};
      }
      return {Code::kUnavailable, "unreachable", what};
    case CURLE_SSL_CACERT_BADFILE:
      return {Code::kFailedPrecondition, "ca_unusable", what};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return {Code::kUnavailable, "tls_refused", what};
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::kDeadlineExceeded, "deadline", what};
    default:
      return {Code::kUnknown, "broken", what};
  }
}

}  // namespace plexsphere::host::egress
