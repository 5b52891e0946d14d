#include "raw_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>  // NOLINT: sigaddset
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace plexsphere::test_support {
namespace {

using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Ssl = std::unique_ptr<SSL, decltype(&SSL_free)>;

constexpr std::size_t kChunk = 16 * 1024;

bool same_name(std::string_view left, std::string_view right) {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos
             ? std::string()
             : std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

SslContext make_context(const RawServerOptions& options) {
  SslContext context(nullptr, &SSL_CTX_free);
  if (options.certificate.empty()) {
    return context;
  }
  context.reset(SSL_CTX_new(TLS_server_method()));
  if (!context ||
      SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw std::runtime_error("the raw server cannot use " + options.certificate.string());
  }
  return context;
}

// One connection: bytes in and out, plain or over TLS.
class Wire {
 public:
  Wire(int descriptor, SSL_CTX* context) : descriptor_(descriptor), ssl_(nullptr, &SSL_free) {
    if (context != nullptr) {
      ssl_.reset(SSL_new(context));
      SSL_set_fd(ssl_.get(), descriptor);
      fine_ = SSL_accept(ssl_.get()) == 1;
    }
  }

  bool fine() const { return fine_; }

  // Appends what comes next; false at the end.
  bool read_into(std::string& buffer) {
    char chunk[kChunk];
    const auto got = ssl_ ? SSL_read(ssl_.get(), chunk, kChunk)
                          : static_cast<int>(::recv(descriptor_, chunk, kChunk, 0));
    if (got <= 0) {
      return false;
    }
    buffer.append(chunk, static_cast<std::size_t>(got));
    return true;
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent =
          ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
               : static_cast<int>(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

 private:
  int descriptor_;
  Ssl ssl_;
  bool fine_ = true;
};

// The head without its last empty line; nothing when the connection ended.
std::optional<std::string> read_head(Wire& wire, std::string& buffer) {
  while (true) {
    if (const auto end = buffer.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = buffer.substr(0, end + 2);
      buffer.erase(0, end + 4);
      return head;
    }
    if (!wire.read_into(buffer)) {
      return std::nullopt;
    }
  }
}

RawRequest parse_head(const std::string& head) {
  RawRequest request;
  const auto line_end = head.find("\r\n");
  const std::string line = head.substr(0, line_end);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  for (auto at = line_end + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    const std::string header = head.substr(at, end - at);
    const auto colon = header.find(':');
    request.headers.emplace_back(header.substr(0, colon), trimmed(header.substr(colon + 1)));
    at = end + 2;
  }
  return request;
}

std::optional<RawRequest> read_request(Wire& wire, std::string& buffer) {
  const auto head = read_head(wire, buffer);
  if (!head) {
    return std::nullopt;
  }
  RawRequest request = parse_head(*head);
  const auto length = request.only("content-length");
  const std::size_t body = length ? std::stoul(*length) : 0;
  if (request.only("expect") && !wire.write("HTTP/1.1 100 Continue\r\n\r\n")) {
    return std::nullopt;
  }
  while (buffer.size() < body) {
    if (!wire.read_into(buffer)) {
      return std::nullopt;
    }
  }
  request.body = buffer.substr(0, body);
  buffer.erase(0, body);
  return request;
}

}  // namespace

std::string percent_decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> RawRequest::all(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [each, value] : headers) {
    if (same_name(each, name)) {
      out.push_back(value);
    }
  }
  return out;
}

std::optional<std::string> RawRequest::only(std::string_view name) const {
  auto values = all(name);
  return values.size() == 1 ? std::optional(std::move(values.front())) : std::nullopt;
}

RawAnswer http_answer(int status, const std::string& body,
                      const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " Made\r\n";
  for (const auto& [name, value] : headers) {
    bytes += name + ": " + value + "\r\n";
  }
  if (status != 204 && status != 304) {
    bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return {bytes + "\r\n" + body, false};
}

struct RawServer::Impl {
  Impl(Handler the_handler, const RawServerOptions& options)
      : handler(std::move(the_handler)), context(make_context(options)), given(options) {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, 64) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error(std::string("the raw server cannot listen: ") +
                               std::strerror(errno));
    }
    number = ntohs(address.sin_port);
    acceptor = std::thread([this] { accept_all(); });
  }

  ~Impl() {
    ::shutdown(listener, SHUT_RDWR);
    acceptor.join();
    ::close(listener);
    {
      const std::lock_guard lock(mutex);
      for (const auto& connection : connections) {
        ::shutdown(connection.descriptor, SHUT_RDWR);
      }
    }
    for (auto& connection : connections) {
      connection.thread.join();
      ::close(connection.descriptor);
    }
  }

  void accept_all() {
    while (true) {
      const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) {
        return;
      }
      const std::lock_guard lock(mutex);
      connections.push_back({descriptor, {}});
      connections.back().thread =
          std::thread([this, descriptor, id = ++accepted] { serve(descriptor, id); });
    }
  }

  void serve(int descriptor, std::uint64_t id) {
    sigset_t pipe;  // OpenSSL writes without MSG_NOSIGNAL
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    Wire wire(descriptor, context.get());
    std::string buffer;
    while (wire.fine()) {
      auto request = read_request(wire, buffer);
      if (!request) {
        break;
      }
      request->connection = id;
      const RawAnswer answer = handler(*request);
      if (!wire.write(answer.bytes) || answer.close) {
        break;
      }
    }
    ::shutdown(descriptor, SHUT_RDWR);  // closed when the server goes: the number stays taken
  }

  struct Connection {
    int descriptor;
    std::thread thread;
  };

  Handler handler;
  SslContext context;
  RawServerOptions given;
  int listener = -1;
  std::uint16_t number = 0;
  std::uint64_t accepted = 0;
  std::mutex mutex;
  std::list<Connection> connections;
  std::thread acceptor;
};

RawServer::RawServer(Handler handler, const RawServerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(handler), options)) {}

RawServer::~RawServer() = default;

std::uint16_t RawServer::port() const {
  return impl_->number;
}

std::string RawServer::authority() const {
  return impl_->given.address + ":" + std::to_string(impl_->number);
}

std::string RawServer::url() const {
  return (impl_->context ? "https://" : "http://") + authority();
}

}  // namespace plexsphere::test_support
