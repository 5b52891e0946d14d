// Every call's place in the journal, over a real unix socket.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "app/sha256.hpp"
#include "rpc/grpc_server.hpp"
#include "rpc_client.hpp"
#include "signer_fixture.hpp"
#include "store/journal_reader.hpp"

namespace plexsphere::signing {
namespace {

using testing::RpcClient;
using testing::SignerFixture;
using Stub = v1::SignerService::Stub;

const std::string kScope(testing::kDomain);

// A signer with one key, "k1", and a client of it.
class Rig {
 public:
  Rig() {
    start();
    REQUIRE(client_->open(kScope, "k1", opened).ok());
  }

  void restart() {
    server_.reset();
    signer.restart();
    start();
  }

  [[nodiscard]] v1::SignRequest request(const std::string& message = testing::event_under("k1")) {
    v1::SignRequest out;
    out.set_scope(kScope);
    out.set_purpose(v1::PURPOSE_EVENTS);
    out.add_messages(message);
    *out.mutable_key_set() = opened.key_set();
    return out;
  }
  template <class Request, class Response>
  grpc::Status call(RpcClient::Method<Request, Response> method, const Request& request,
                    Response& response) {
    return client_->call(method, request, response, place);
  }

  // The journal's lines without the header, words apart; checked from first to last.
  [[nodiscard]] std::vector<std::vector<std::string>> lines() const {
    std::vector<std::vector<std::string>> out;
    const std::string path = signer.state() + "/journal";
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto end = read_journal({fd, path}, [&](const JournalLine& line) {
      std::istringstream words(std::string(line.text) + " " + std::string(line.hash));
      out.emplace_back(std::istream_iterator<std::string>(words),
                       std::istream_iterator<std::string>());
    });
    close(fd);
    REQUIRE(end.ok());
    return out;
  }

  SignerFixture signer;
  v1::OpenRotationResponse opened;
  std::string place;  // of the last call, if it was refused

 private:
  void start() {
    server_ =
        GrpcServer::start(
            UnixEndpoint{(signer.directory().path() / "run/signer.sock").string(), {geteuid()}},
            signer.parts())
            .value();
    client_.emplace(server_->target(), grpc::InsecureChannelCredentials());
  }

  std::unique_ptr<GrpcServer> server_;
  std::optional<RpcClient> client_;
};

// "instance seq head" as refusals say it, of a line or an answer.
std::string place_of(const std::vector<std::string>& line) {
  return line[0] + " " + line[1] + " " + line.back();
}
template <class Response>
std::string place_of(const Response& response) {
  REQUIRE(response.journal_head().size() == 32);
  Sha256 head;
  std::copy(response.journal_head().begin(), response.journal_head().end(),
            reinterpret_cast<char*>(head.data()));
  return response.journal_instance() + " " + std::to_string(response.journal_seq()) + " " +
         hex_of(head);
}

TEST_CASE("every answer says where the call stands, and the file says the same", "[signing]") {
  Rig rig;
  CHECK(rig.opened.journal_seq() == 1);
  v1::SignRequest sign = rig.request();
  sign.add_messages(testing::event_under("k1"));
  v1::SignResponse signatures;
  REQUIRE(rig.call(&Stub::Sign, sign, signatures).ok());
  v1::PublicKeyRequest ask;
  ask.set_scope(kScope);
  ask.set_purpose(v1::PURPOSE_CHECKPOINTS);
  v1::PublicKeyResponse key;
  REQUIRE(rig.call(&Stub::PublicKey, ask, key).ok());
  v1::OpenRotationRequest open;
  open.set_scope(kScope);
  open.set_new_key_id("k2");
  *open.mutable_key_set() = rig.opened.key_set();
  v1::OpenRotationResponse rotating;
  REQUIRE(rig.call(&Stub::OpenRotation, open, rotating).ok());
  v1::CloseRotationRequest close;
  close.set_scope(kScope);
  close.set_old_key_id("k1");
  close.set_new_key_id("k2");
  close.set_force(true);
  *close.mutable_key_set() = rotating.key_set();
  v1::CloseRotationResponse closed;
  REQUIRE(rig.call(&Stub::CloseRotation, close, closed).ok());

  const auto lines = rig.lines();
  REQUIRE(lines.size() == 5);
  CHECK(place_of(lines[0]) == place_of(rig.opened));
  CHECK(place_of(lines[1]) == place_of(signatures));
  CHECK(place_of(lines[2]) == place_of(key));
  CHECK(place_of(lines[3]) == place_of(rotating));
  CHECK(place_of(lines[4]) == place_of(closed));
  const auto said = [&](std::size_t line) {
    std::string out;
    for (std::size_t word = 3; word < 10; ++word) {
      out += lines[line][word] + " ";
    }
    return out;
  };
  CHECK(lines[0][2] == "1767225600000");
  CHECK(said(0) == "open_rotation " + kScope + " * k1 ok 1 0 ");
  CHECK(said(1) == "sign " + kScope + " events k1 ok 1 2 ");
  CHECK(said(2) == "public_key " + kScope + " checkpoints k1 ok 1 0 ");
  CHECK(said(3) == "open_rotation " + kScope + " * k2 ok 2 0 ");
  CHECK(said(4) == "force_close_rotation " + kScope + " * k1 ok 3 0 ");
  // Which messages: by their hashes, without a byte of them.
  CHECK(lines[1][10] == hex_of(digest_of({sign.messages(0), sign.messages(1)})));
}

TEST_CASE("a refused call has its place too, and nothing a caller made up", "[signing]") {
  Rig rig;
  v1::SignResponse response;
  v1::SignRequest named = rig.request();
  named.set_key_id("k9");
  CHECK(rig.call(&Stub::Sign, named, response).error_code() == grpc::NOT_FOUND);
  const std::string first = rig.place;
  v1::SignRequest forged = rig.request("hunter2\n");
  forged.set_scope("domain:\n1 2 3");
  forged.set_key_id("k 1");
  forged.set_purpose(v1::PURPOSE_UNSPECIFIED);
  CHECK(rig.call(&Stub::Sign, forged, response).error_code() == grpc::INVALID_ARGUMENT);
  const std::string second = rig.place;
  CHECK(rig.call(&Stub::Sign, rig.request(), response).ok());
  CHECK(rig.place.empty());
  CHECK(response.journal_seq() == 4);

  const auto lines = rig.lines();
  REQUIRE(lines.size() == 4);
  CHECK(place_of(lines[1]) == first);
  CHECK(lines[1][6] == "k9");
  CHECK(lines[1][7] == "key_not_found");
  CHECK(place_of(lines[2]) == second);
  CHECK(lines[2][4] == "?");
  CHECK(lines[2][5] == "*");
  CHECK(lines[2][6] == "?");
  CHECK(lines[2][7] == "invariant_violation");
  CHECK(lines[2][9] == "1");
}

TEST_CASE("after a restart the same journal goes on", "[signing]") {
  Rig rig;
  const std::string instance = rig.opened.journal_instance();
  rig.restart();
  v1::SignResponse response;
  REQUIRE(rig.call(&Stub::Sign, rig.request(), response).ok());
  CHECK(response.journal_instance() == instance);
  CHECK(response.journal_seq() == 2);
  CHECK(rig.lines().size() == 2);
}

// The process's own limit on file sizes stands for a disk that is full: write fails, EFBIG.
TEST_CASE("a call that cannot be recorded is refused and no signature leaves", "[signing]") {
  Rig rig;
  struct sigaction ignore {};
  struct sigaction kept {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(sigaction(SIGXFSZ, &ignore, &kept) == 0);
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit full{64, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &full) == 0);
  v1::SignResponse response;
  const grpc::Status refused = rig.call(&Stub::Sign, rig.request(), response);
  const std::string place = rig.place;
  v1::SignRequest bad = rig.request();
  bad.set_scope("bad");
  v1::SignResponse none;
  const grpc::Status refusal = rig.call(&Stub::Sign, bad, none);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  REQUIRE(sigaction(SIGXFSZ, &kept, nullptr) == 0);

  CHECK(refused.error_code() == grpc::UNAVAILABLE);
  CHECK(refused.error_message() == "signing: journal unavailable");
  CHECK(refused.error_details().find("cannot be written: File too large") != std::string::npos);
  CHECK(response.signatures_size() == 0);
  CHECK(place.empty());
  CHECK(refusal.error_message() == "signing: journal unavailable");
  CHECK(rig.lines().size() == 1);
  REQUIRE(rig.call(&Stub::Sign, rig.request(), response).ok());
  CHECK(response.journal_seq() == 2);
  CHECK(response.signatures_size() == 1);
}

TEST_CASE("calls at once get places without gaps", "[signing]") {
  Rig rig;
  std::vector<std::thread> threads;
  std::mutex lock;
  std::vector<std::uint64_t> places;
  const v1::SignRequest request = rig.request();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const RpcClient client("unix:" + (rig.signer.directory().path() / "run/signer.sock").string(),
                             grpc::InsecureChannelCredentials());
      for (int n = 0; n < 20; ++n) {
        v1::SignResponse response;
        const bool done = client.call(&Stub::Sign, request, response).ok();
        const std::lock_guard guard(lock);
        places.push_back(done ? response.journal_seq() : 0);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::sort(places.begin(), places.end());
  REQUIRE(places.size() == 160);
  for (std::size_t i = 0; i < places.size(); ++i) {
    CHECK(places[i] == i + 2);
  }
  CHECK(rig.lines().size() == 161);
}

}  // namespace
}  // namespace plexsphere::signing
