#include "rpc/signer_channel.hpp"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <unordered_set>

#include "plexsphere/sdk/encoding.hpp"
#include "signing.grpc.pb.h"

namespace plexsphere::signing_client {
namespace {

namespace wire = plexsphere::signing::v1;

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTcp = "tcp:";
constexpr int kInitialBackoffMs = 50;
constexpr int kMaxBackoffMs = 1'000;
constexpr std::streamoff kMaxPemBytes = 1024 * 1024;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kPublicKeyBytes = 32;
constexpr std::size_t kHashBytes = 32;
constexpr const char* kJournalMetadata = "signing-journal";
constexpr std::string_view kNoJournal = "signing: journal unavailable";

sdk::Error away(std::string detail) {
  return {sdk::Code::unavailable, "signing_unavailable", std::move(detail)};
}

// Statuses by which the signer judges a request; anything else is about the signer or the way
// there.
bool judges_request(grpc::StatusCode code) {
  return code == grpc::INVALID_ARGUMENT || code == grpc::NOT_FOUND ||
         code == grpc::FAILED_PRECONDITION;
}

sdk::Error error_of(const grpc::Status& status) {
  constexpr std::string_view prefix = "signing: ";
  const std::string& message = status.error_message();
  if (!judges_request(status.error_code()) || !message.starts_with(prefix)) {
    return away("The signer is away or refuses this process: " + message);
  }
  std::string reason = message.substr(prefix.size());
  std::replace(reason.begin(), reason.end(), ' ', '_');
  return {static_cast<sdk::Code>(status.error_code()), std::move(reason), status.error_details()};
}

wire::Purpose wire_purpose(Purpose purpose) {
  switch (purpose) {
    case Purpose::kEvents:
      return wire::PURPOSE_EVENTS;
    case Purpose::kCheckpoints:
      return wire::PURPOSE_CHECKPOINTS;
    case Purpose::kRestores:
      break;
  }
  return wire::PURPOSE_RESTORES;
}

void write_key_set(const SignedDocument& document, wire::SignedKeySet* out) {
  out->set_document(document.document);
  out->set_signature(document.signature);
  out->set_document_key(document.document_key);
}

// The key set of an answer; whether it may be believed is the caller's to check.
template <class Response>
sdk::Result<SignedDocument> read_key_set(const Response& response) {
  if (!response.has_key_set()) {
    return away("The signer answered without a key set.");
  }
  const wire::SignedKeySet& set = response.key_set();
  return SignedDocument{set.document(), set.signature(), set.document_key()};
}

sdk::Result<SignAnswer> read_answer(const wire::SignResponse& response, std::size_t expected) {
  SignAnswer answer{response.key_id(), response.public_key(), {}};
  for (const std::string& signature : response.signatures()) {
    if (signature.size() != kSignatureBytes) {
      return away("The signer answered with a malformed signature.");
    }
    answer.signatures.push_back(signature);
  }
  if (answer.signatures.size() != expected || answer.public_key.size() != kPublicKeyBytes) {
    return away("The signer answered with another number of signatures than was asked for.");
  }
  return answer;
}

sdk::Result<LastAnswer> read_last(const wire::LastCheckpointResponse& response) {
  auto root =
      response.root().empty() ? std::optional(std::string()) : sdk::base64_decode(response.root());
  const bool sound = root && (root->empty() || root->size() == kHashBytes) &&
                     (response.restore().empty() || response.restore().size() == kHashBytes);
  if (!sound) {
    return away("The signer answered with a malformed checkpoint.");
  }
  return LastAnswer{response.size(), std::move(*root), response.epoch(), response.restore()};
}

// An answer without a mark leaves us not knowing its place, as one that never came does.
template <class Response>
JournalPlace place_of(const Response& response) {
  JournalMark mark{response.journal_instance(), response.journal_seq(),
                   sdk::hex_encode(response.journal_head())};
  return is_well_formed(mark) ? JournalPlace{std::move(mark), false}
                              : JournalPlace{std::nullopt, true};
}

JournalPlace place_of_refusal(const grpc::Status& status, const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(kJournalMetadata);
  if (found != metadata.end()) {
    if (auto mark = parse_mark({found->second.data(), found->second.size()})) {
      return {std::move(mark), false};
    }
  }
  // The signer says so itself when it could not give the call a place.
  return {std::nullopt, status.error_message() != kNoJournal};
}

sdk::Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size <= 0 || size > kMaxPemBytes) {
    return sdk::Error{sdk::Code::failed_precondition, "tls_file_unreadable",
                      path + " cannot be read as a PEM file."};
  }
  file.seekg(0);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

sdk::Result<std::shared_ptr<grpc::ChannelCredentials>> credentials_of(
    const ChannelSettings& settings) {
  if (settings.target.starts_with(kUnix)) {
    return grpc::InsecureChannelCredentials();  // the kernel keeps the socket's directory
  }
  const auto ca = read_pem(settings.tls_ca);
  const auto certificate = read_pem(settings.tls_cert);
  const auto key = read_pem(settings.tls_key);
  for (const auto* pem : {&ca, &certificate, &key}) {
    if (!pem->ok()) {
      return pem->error();
    }
  }
  return grpc::SslCredentials({*ca, *key, *certificate});
}

std::shared_ptr<grpc::Channel> connect(const ChannelSettings& settings,
                                       std::shared_ptr<grpc::ChannelCredentials> credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kInitialBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kInitialBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxBackoffMs);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::string target =
      settings.target.starts_with(kTcp) ? settings.target.substr(kTcp.size()) : settings.target;
  return grpc::CreateCustomChannel(target, std::move(credentials), arguments);
}

}  // namespace

sdk::Status check_settings(const ChannelSettings& settings) {
  const auto refuse = [](std::string detail) {
    return sdk::Error{sdk::Code::invalid_argument, "bad_configuration",
                      "[context.signing_client] " + std::move(detail)};
  };
  if (settings.target.starts_with(kTcp)) {
    if (settings.target.find(':', kTcp.size()) == std::string::npos) {
      return refuse("target: \"" + settings.target + "\" must be tcp:host:port");
    }
    if (settings.tls_ca.empty() || settings.tls_cert.empty() || settings.tls_key.empty()) {
      return refuse("target over tcp: needs tls_ca, tls_cert and tls_key; set all three");
    }
    return {};
  }
  if (!settings.target.starts_with("unix:/")) {
    return refuse("target: \"" + settings.target + "\" must be unix:/path or tcp:host:port");
  }
  return {};
}

class SignerChannel::Impl {
 public:
  Impl(std::shared_ptr<grpc::Channel> channel, std::chrono::milliseconds deadline)
      : channel_(std::move(channel)),
        stub_(wire::SignerService::NewStub(channel_)),
        deadline_(deadline) {}

  // One call: what gRPC needs to outlive it.
  template <class Request, class Response>
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
  };

  // Starts `call` by `start` and completes it through `read`, unless the channel has been shut
  // down.
  template <class Request, class Response, class Start, class Read, class T>
  void run(std::shared_ptr<Call<Request, Response>> call, Start start, Read read, Done<T> done) {
    if (!enter(&call->context)) {
      done(sdk::Error{sdk::Code::cancelled, "draining", "The core is shutting down."}, {});
      return;
    }
    call->context.set_deadline(std::chrono::system_clock::now() + deadline_);
    start(*stub_->async(), *call,
          [this, call, read = std::move(read),
           done = std::move(done)](const grpc::Status& status) mutable {
            JournalPlace place =
                status.ok() ? place_of(call->response) : place_of_refusal(status, call->context);
            if (status.ok() && !place.mark) {
              done(away("The signer answered without the call's place in its journal."), place);
            } else {
              done(status.ok() ? read(call->response) : sdk::Result<T>(error_of(status)),
                   std::move(place));
            }
            forget(&call->context);
            // A context keeps the channel alive, and a channel that ends on a thread of gRPC's own
            // aborts the process (it would join itself). So it goes before the last word.
            call.reset();
            done = nullptr;
            leave();
          });
  }

  bool wait_connected(std::chrono::milliseconds limit) {
    return channel_->WaitForConnected(std::chrono::system_clock::now() + limit);
  }

  void shut_down() {
    std::unique_lock guard(lock_);
    closed_ = true;
    for (grpc::ClientContext* context : in_flight_) {
      context->TryCancel();
    }
    idle_.wait(guard, [this] { return running_ == 0; });
  }

 private:
  bool enter(grpc::ClientContext* context) {
    const std::lock_guard guard(lock_);
    if (closed_) {
      return false;
    }
    in_flight_.insert(context);
    ++running_;
    return true;
  }
  // From here on the context may end: nobody cancels it any more.
  void forget(grpc::ClientContext* context) {
    const std::lock_guard guard(lock_);
    in_flight_.erase(context);
  }
  // The last thing a call does with this object.
  void leave() {
    const std::lock_guard guard(lock_);
    --running_;
    idle_.notify_all();
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<wire::SignerService::Stub> stub_;
  const std::chrono::milliseconds deadline_;
  std::mutex lock_;
  std::condition_variable idle_;
  std::unordered_set<grpc::ClientContext*> in_flight_;  // guarded by lock_; may be cancelled
  std::size_t running_ = 0;                             // guarded by lock_; calls not yet over
  bool closed_ = false;                                 // guarded by lock_
};

sdk::Result<std::unique_ptr<SignerChannel>> SignerChannel::open(const ChannelSettings& settings) {
  if (sdk::Status good = check_settings(settings); !good.ok()) {
    return good.error();
  }
  auto credentials = credentials_of(settings);
  if (!credentials.ok()) {
    return credentials.error();
  }
  return std::unique_ptr<SignerChannel>(new SignerChannel(
      std::make_unique<Impl>(connect(settings, *credentials), settings.deadline)));
}

SignerChannel::SignerChannel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SignerChannel::~SignerChannel() {
  shut_down();
}

void SignerChannel::sign(const SignCall& what, const SignedDocument& key_set,
                         Done<SignAnswer> done) {
  auto call = std::make_shared<Impl::Call<wire::SignRequest, wire::SignResponse>>();
  call->request.set_scope(what.scope);
  call->request.set_key_id(what.key_id);
  call->request.set_purpose(wire_purpose(what.purpose));
  for (const std::string& message : what.messages) {
    call->request.add_messages(message);
  }
  write_key_set(key_set, call->request.mutable_key_set());
  impl_->run(
      call,
      [](auto& stub, auto& c, auto completion) {
        stub.Sign(&c.context, &c.request, &c.response, std::move(completion));
      },
      [count = what.messages.size()](const wire::SignResponse& response) {
        return read_answer(response, count);
      },
      std::move(done));
}

void SignerChannel::last_checkpoint(const std::string& scope, const SignedDocument& key_set,
                                    Done<LastAnswer> done) {
  auto call =
      std::make_shared<Impl::Call<wire::LastCheckpointRequest, wire::LastCheckpointResponse>>();
  call->request.set_scope(scope);
  write_key_set(key_set, call->request.mutable_key_set());
  impl_->run(
      call,
      [](auto& stub, auto& c, auto completion) {
        stub.LastCheckpoint(&c.context, &c.request, &c.response, std::move(completion));
      },
      &read_last, std::move(done));
}

void SignerChannel::fetch_key_set(const std::string& scope, const KeySet& key_set,
                                  Done<SignedDocument> done) {
  auto call = std::make_shared<Impl::Call<wire::PublicKeyRequest, wire::PublicKeyResponse>>();
  call->request.set_scope(scope);
  call->request.set_purpose(wire::PURPOSE_EVENTS);
  if (key_set) {
    write_key_set(*key_set, call->request.mutable_key_set());
  }
  impl_->run(
      call,
      [](auto& stub, auto& c, auto completion) {
        stub.PublicKey(&c.context, &c.request, &c.response, std::move(completion));
      },
      &read_key_set<wire::PublicKeyResponse>, std::move(done));
}

void SignerChannel::open_rotation(const std::string& scope, const std::string& new_key_id,
                                  const KeySet& key_set, Done<SignedDocument> done) {
  auto call = std::make_shared<Impl::Call<wire::OpenRotationRequest, wire::OpenRotationResponse>>();
  call->request.set_scope(scope);
  call->request.set_new_key_id(new_key_id);
  if (key_set) {
    write_key_set(*key_set, call->request.mutable_key_set());
  }
  impl_->run(
      call,
      [](auto& stub, auto& c, auto completion) {
        stub.OpenRotation(&c.context, &c.request, &c.response, std::move(completion));
      },
      &read_key_set<wire::OpenRotationResponse>, std::move(done));
}

void SignerChannel::close_rotation(const std::string& scope, const RotationView& rotation,
                                   const SignedDocument& key_set, Done<SignedDocument> done) {
  auto call =
      std::make_shared<Impl::Call<wire::CloseRotationRequest, wire::CloseRotationResponse>>();
  call->request.set_scope(scope);
  call->request.set_old_key_id(rotation.old_key_id);
  call->request.set_new_key_id(rotation.new_key_id);
  write_key_set(key_set, call->request.mutable_key_set());
  impl_->run(
      call,
      [](auto& stub, auto& c, auto completion) {
        stub.CloseRotation(&c.context, &c.request, &c.response, std::move(completion));
      },
      &read_key_set<wire::CloseRotationResponse>, std::move(done));
}

bool SignerChannel::wait_connected(std::chrono::milliseconds limit) {
  return impl_->wait_connected(limit);
}

void SignerChannel::shut_down() {
  impl_->shut_down();
}

}  // namespace plexsphere::signing_client
