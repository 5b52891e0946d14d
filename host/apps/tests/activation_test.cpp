// Sockets handed over by a supervisor, as systemd does it: the test holds the socket.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "certificate.hpp"
#include "running.hpp"
#include "support/tls_client.hpp"

namespace plexsphere::host::apps {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A socket that outlives every process that serves it.
class Supervisor {
 public:
  explicit Supervisor(bool listening = true) {
    const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fd_ =
        ::fcntl(made, F_DUPFD, 100);  // stays open in programs, and out of the way of descriptor 3
    ::close(made);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE((!listening || ::listen(fd_, 512) == 0));
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Supervisor() { ::close(fd_); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // The arguments of bash to become `binary` with the socket as descriptor 3. The shell's process
  // id is kept by exec, so LISTEN_PID is what the protocol wants.
  std::vector<std::string> hand_over(const char* binary, const std::vector<std::string>& arguments,
                                     const std::string& environment = "LISTEN_FDS=1 LISTEN_PID=$$",
                                     int number = 3) const {
    std::vector<std::string> all{
        "-c",
        environment + " exec \"$0\" \"$@\" " + std::to_string(number) + "<&" + std::to_string(fd_),
        binary};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  test_support::HttpResponse get(const std::string& path) const {
    return test_support::HttpClient(30s).request("GET", url() + path);
  }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

std::unique_ptr<test_support::Process> serve(const Supervisor& supervisor, const Running& running) {
  return std::make_unique<test_support::Process>(
      "/bin/bash", supervisor.hand_over(PLEXSPHERE_BARE, running.arguments()));
}

TEST_CASE("an inherited socket is served instead of the configured addresses", "[apps]") {
  const Supervisor supervisor;
  const Running running;
  const auto process = serve(supervisor, running);
  CHECK(supervisor.get("/v1/good/hello").status == 200);
  REQUIRE(running.announced());
  CHECK("http://" + test_support::read_file(running.path() / "addr") == supervisor.url());
  const std::string log = process->err();
  CHECK(has(log, R"("event":"server.inherited_sockets","sockets":1)"));
  const auto first = log.find(R"("event":"server.listening")");
  CHECK(log.find(R"("event":"server.listening")", first + 1) == std::string::npos);
  process->terminate();
  CHECK(process->wait(20s) == 0);
}

TEST_CASE("a client that connects between two processes is served by the second", "[apps]") {
  const Supervisor supervisor;
  const Running running;
  auto process = serve(supervisor, running);
  REQUIRE(supervisor.get("/livez").status == 200);
  process->terminate();
  REQUIRE(process->wait(20s) == 0);
  // Nobody serves now, and nobody is refused.
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(std::async(
        std::launch::async, [&supervisor] { return supervisor.get("/v1/good/later").status; }));
  }
  CHECK(waiting.front().wait_for(100ms) == std::future_status::timeout);
  process = serve(supervisor, running);
  for (auto& answer : waiting) {
    CHECK(answer.get() == 200);
  }
}

TEST_CASE("restarts under load on an inherited socket refuse no connection", "[apps]") {
  const Supervisor supervisor;
  const Running running("drain_delay = \"100ms\"\nunauthenticated_rate = 0\n");
  auto process = serve(supervisor, running);
  REQUIRE(supervisor.get("/livez").status == 200);
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> lost{0};
  std::string cause;
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&, i] {
      while (!stop) {
        try {
          supervisor.get("/v1/good/later").status == 200 ? ++served : ++lost;
        } catch (const std::exception& error) {
          if (++lost == 1) {
            cause = error.what();
          }
        }
        std::this_thread::sleep_for(1ms * i);
      }
    });
  }
  for (int restart = 0; restart < 5; ++restart) {
    const int before = served;
    CHECK(test_support::wait_until(20s, [&] { return served > before + 30; }));
    process->terminate();
    const auto code = process->wait(20s);
    INFO(process->err());
    CHECK(code == 0);
    process = serve(supervisor, running);
  }
  const int before = served;
  CHECK(test_support::wait_until(20s, [&] { return served > before + 30; }));
  stop = true;
  for (auto& client : clients) {
    client.join();
  }
  INFO(cause);
  CHECK(lost == 0);
}

// Becomes a client over TLS, and gets something.
bool served_over_tls(int connection) {
  test_support::TlsClient client(test_support::TlsClientContext{}, connection);
  client.send("GET /v1/good/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  return has(client.receive_until("\r\n\r\n"), " 200 OK");
}

TEST_CASE("TLS is served on an inherited socket, and its clients outlast the process too",
          "[apps][tls]") {
  const Supervisor supervisor;
  Running running;
  const auto pair = make_certificate(running.path(), "server", 90);
  running.write_configuration("[http]\ndrain_delay = \"0s\"\n" + pair.section() +
                              "[context.good]\nenabled = true\n");
  const auto serve_tls = [&] {
    return std::make_unique<test_support::Process>(
        "/bin/bash", supervisor.hand_over(PLEXSPHERE_BARE, running.arguments(),
                                          "LISTEN_FDS=1 LISTEN_FDNAMES=tls LISTEN_PID=$$"));
  };
  const auto connect = [&] { return test_support::connect_plain("127.0.0.1", supervisor.port()); };
  auto process = serve_tls();
  CHECK(served_over_tls(connect()));
  REQUIRE(running.announced());  // an inherited socket is served before it is announced
  CHECK(has(test_support::read_file(running.path() / "addr"), "tls:127.0.0.1:"));

  // Accepted by the first, which has to leave before a hello has come.
  const int half_way = connect();
  const int served = connect();  // behind it in the backlog
  CHECK(served_over_tls(served));
  process->terminate();
  REQUIRE(
      test_support::wait_until(20s, [&] { return has(process->err(), "drain.listener_closed"); }));
  CHECK(served_over_tls(half_way));
  CHECK(process->wait(20s) == 0);

  const int between = connect();
  process = serve_tls();
  CHECK(served_over_tls(between));
}

TEST_CASE("variables meant for another process are passed over", "[apps]") {
  const Supervisor supervisor;
  const Running running;
  test_support::Process process(
      "/bin/bash",
      supervisor.hand_over(PLEXSPHERE_BARE, running.arguments(), "LISTEN_FDS=1 LISTEN_PID=1"));
  REQUIRE(running.announced());
  CHECK_FALSE(has(process.err(), "inherited"));
  CHECK("http://" + test_support::read_file(running.path() / "addr") != supervisor.url());
}

TEST_CASE("a handover that makes no sense is exit 1 with the remedy", "[apps]") {
  const Running running;
  const auto refusal = [&](const Supervisor& supervisor, const std::string& environment,
                           int number = 3) {
    const auto done = test_support::run(
        "/bin/bash", supervisor.hand_over(PLEXSPHERE_BARE, running.arguments(),
                                          environment + " LISTEN_PID=$$", number));
    CHECK(done.code == 1);
    return done.err;
  };
  const Supervisor good;
  CHECK(has(refusal(Supervisor(false), "LISTEN_FDS=1 LISTEN_FDNAMES=web"),
            "inherited descriptor 3 ('web') is no listening stream socket: use ListenStream="));
  CHECK(has(refusal(good, "LISTEN_FDS=1", 4), "inherited descriptor 3"));  // 3 is not open
  CHECK(has(refusal(good, "LISTEN_FDS=many"), "LISTEN_FDS is 'many'"));
  CHECK(has(refusal(good, "LISTEN_FDS=1 LISTEN_FDNAMES=a:b"), "does not name 1 sockets"));
  CHECK(has(refusal(good, "LISTEN_FDS=1 LISTEN_FDNAMES=tls"), "inherited descriptor 3 ('tls')"));
}

}  // namespace
}  // namespace plexsphere::host::apps
