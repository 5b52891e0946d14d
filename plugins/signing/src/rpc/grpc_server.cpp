#include "rpc/grpc_server.hpp"

#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "rpc/unix_acceptor.hpp"

namespace plexsphere::signing {
namespace {

// The largest well-formed request: 2 MiB of messages, a key set of 64 KiB, and their framing.
constexpr int kMaxRequestBytes = 3 * 1024 * 1024;
constexpr int kMaxThreads = 64;
constexpr std::streamoff kMaxPemBytes = 1024 * 1024;

std::chrono::system_clock::time_point after(std::chrono::milliseconds grace) {
  return std::chrono::system_clock::now() + grace;
}

void set_limits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.SetResourceQuota(grpc::ResourceQuota("signer").SetMaxThreads(kMaxThreads));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 256);
}

class UnixServer final : public GrpcServer {
 public:
  UnixServer(const ServiceParts& parts, std::unique_ptr<UnixAcceptor> acceptor, std::string path)
      : service_(parts, PeerPolicy{}),
        acceptor_(std::move(acceptor)),
        notice_(parts.notice),
        path_(std::move(path)) {}
  ~UnixServer() override { stop(std::chrono::milliseconds(0)); }

  bool serve() {
    grpc::ServerBuilder builder;
    set_limits(builder);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_) {
      return false;
    }
    acceptor_->start([this](int fd) { grpc::AddInsecureChannelFromFd(server_.get(), fd); },
                     [this](uid_t uid) {
                       notice_("signing_peer_denied", "user " + std::to_string(uid) +
                                                          " is not in allowed_uids and connected");
                     });
    return true;
  }

  [[nodiscard]] std::string target() const override { return "unix:" + path_; }

  void stop(std::chrono::milliseconds grace) override {
    acceptor_->stop();
    if (server_) {
      server_->Shutdown(after(grace));
      server_->Wait();
      server_.reset();
    }
  }

 private:
  SignerServiceImpl service_;
  std::unique_ptr<UnixAcceptor> acceptor_;
  Signer::Notice notice_;
  std::string path_;
  std::unique_ptr<grpc::Server> server_;
};

class TlsServer final : public GrpcServer {
 public:
  TlsServer(ServiceParts parts, const TlsEndpoint& endpoint)
      : service_(std::move(parts), PeerPolicy{true, endpoint.allowed_peers}),
        host_(endpoint.address.substr(0, endpoint.address.rfind(':'))) {}
  ~TlsServer() override { stop(std::chrono::milliseconds(0)); }

  bool serve(const std::string& address, std::shared_ptr<grpc::ServerCredentials> credentials) {
    grpc::ServerBuilder builder;
    set_limits(builder);
    // Without this a second signer could share the port and take half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(address, std::move(credentials), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    return server_ != nullptr && port_ != 0;
  }

  [[nodiscard]] std::string target() const override { return host_ + ":" + std::to_string(port_); }

  void stop(std::chrono::milliseconds grace) override {
    if (server_) {
      server_->Shutdown(after(grace));
      server_->Wait();
      server_.reset();
    }
  }

 private:
  SignerServiceImpl service_;
  std::string host_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Outcome<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size <= 0 || size > kMaxPemBytes) {
    return Fault{FaultKind::kInternal, path + ": cannot be read as a PEM file"};
  }
  file.seekg(0);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Outcome<std::shared_ptr<grpc::ServerCredentials>> tls_credentials(const TlsEndpoint& endpoint) {
  const Outcome<std::string> certificate = read_pem(endpoint.certificate_file);
  const Outcome<std::string> key = read_pem(endpoint.key_file);
  const Outcome<std::string> client_ca = read_pem(endpoint.client_ca_file);
  for (const Outcome<std::string>* pem : {&certificate, &key, &client_ca}) {
    if (!pem->ok()) {
      return pem->fault();
    }
  }
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = client_ca.value();
  options.pem_key_cert_pairs.push_back({key.value(), certificate.value()});
  return grpc::SslServerCredentials(options);
}

Outcome<std::unique_ptr<GrpcServer>> start_unix(const UnixEndpoint& endpoint,
                                                const ServiceParts& parts) {
  Outcome<std::unique_ptr<UnixAcceptor>> acceptor = UnixAcceptor::listen(endpoint);
  if (!acceptor.ok()) {
    return acceptor.fault();
  }
  auto server = std::make_unique<UnixServer>(parts, std::move(acceptor).value(), endpoint.path);
  if (!server->serve()) {
    return Fault{FaultKind::kInternal, "gRPC did not start on " + endpoint.path};
  }
  return std::unique_ptr<GrpcServer>(std::move(server));
}

Outcome<std::unique_ptr<GrpcServer>> start_tls(const TlsEndpoint& endpoint, ServiceParts parts) {
  const Outcome<std::shared_ptr<grpc::ServerCredentials>> credentials = tls_credentials(endpoint);
  if (!credentials.ok()) {
    return credentials.fault();
  }
  auto server = std::make_unique<TlsServer>(std::move(parts), endpoint);
  if (!server->serve(endpoint.address, credentials.value())) {
    return Fault{
        FaultKind::kInternal,
        endpoint.address + ": cannot be listened on, or tls_cert and tls_key do not match"};
  }
  return std::unique_ptr<GrpcServer>(std::move(server));
}

}  // namespace

Outcome<std::unique_ptr<GrpcServer>> GrpcServer::start(const Endpoint& endpoint,
                                                       ServiceParts parts) {
  if (const auto* unix_endpoint = std::get_if<UnixEndpoint>(&endpoint)) {
    return start_unix(*unix_endpoint, parts);
  }
  return start_tls(std::get<TlsEndpoint>(endpoint), std::move(parts));
}

}  // namespace plexsphere::signing
