// Where the process listens, and how many connections it takes.
#include <regex>

#include "running.hpp"

namespace plexsphere::host::apps {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

test_support::Completed curl(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return test_support::run("/usr/bin/curl", all);
}

TEST_CASE("every address is served, and the first is in the address file", "[apps]") {
  Running running;
  const std::string path = (running.path() / "host.sock").string();
  running.write_configuration(
      "[http]\ndrain_delay = \"0s\"\nmore_addrs = [\"[::1]:0\", \"unix:" + path + "\"]\n");
  running.start();
  CHECK(running.get("/livez").status == 200);
  REQUIRE(running.logs("host.sock"));
  const std::string log = running.process().err();
  std::smatch six;
  REQUIRE(std::regex_search(log, six, std::regex(R"(\[::1\]:[1-9][0-9]*)")));
  CHECK(curl({"-g", "http://" + six.str() + "/livez"}).out == "200");
  CHECK(curl({"--unix-socket", path, "http://localhost/livez"}).out == "200");
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a further address that is taken is exit 1, and the first is closed again", "[apps]") {
  Running first;
  first.start();
  Running second;
  const std::string taken = first.url().substr(7);
  second.write_configuration("[http]\nmore_addrs = [\"" + taken + "\"]\n");
  const auto done = second.run({});
  CHECK(done.code == 1);
  CHECK(has(done.err, taken));
}

// Runs the binary below a limit of open files: soft, hard.
std::unique_ptr<test_support::Process> limited(const Running& running, int soft, int hard) {
  std::vector<std::string> all{"-c",
                               "ulimit -Sn " + std::to_string(soft) + " && ulimit -Hn " +
                                   std::to_string(hard) + " && exec \"$0\" \"$@\"",
                               PLEXSPHERE_BARE};
  const auto arguments = running.arguments();
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto process = std::make_unique<test_support::Process>("/bin/bash", all);
  REQUIRE(running.announced());
  return process;
}

TEST_CASE("connections that descriptors do not suffice for are told and cut", "[apps]") {
  const Running running;
  const auto process = limited(running, 1000, 1000);
  const std::string log = process->err();
  INFO(log);
  CHECK(std::regex_search(log,
                          std::regex(R"("event":"http.descriptor_limit".*"max_connections":16384.*)"
                                     R"("descriptors":1000.*"connections":500)")));
}

TEST_CASE("the soft limit of open files is raised to the hard one", "[apps]") {
  const Running running("drain_delay = \"0s\"\nmax_connections = 1000\n");
  const auto process = limited(running, 300, 2000);
  CHECK_FALSE(has(process->err(), "http.descriptor_limit"));
  const auto url = "http://" + test_support::read_file(running.path() / "addr");
  const auto metrics = test_support::HttpClient().request("GET", url + "/metrics").body;
  CHECK(has(metrics, "\nprocess_max_fds 2000\n"));
}

TEST_CASE("limits of the configuration are those of the engine", "[apps]") {
  Running running(
      "drain_delay = \"0s\"\nmax_headers = 8\nmax_target_bytes = 256\nmax_head_bytes = 1024\n"
      "receive_timeout = \"200ms\"\nunauthenticated_rate = 1\nunauthenticated_burst = 5\n");
  running.start();
  const auto status = [&running](std::vector<std::string> arguments, const std::string& path) {
    arguments.push_back(running.url() + path);
    return curl(arguments).out;
  };
  CHECK(status({}, "/livez?" + std::string(300, 'a')) == "414");
  CHECK(status({"-H", "Long: " + std::string(1100, 'a')}, "/livez") == "431");
  std::vector<std::string> many;
  for (int i = 0; i < 8; ++i) {
    many.insert(many.end(), {"-H", "Name" + std::to_string(i) + ": 1"});
  }
  CHECK(status(many, "/livez") == "431");
  CHECK(status({"-X", "POST", "-H", "Content-Length: 5"}, "/v1/good/echo") == "408");
  std::string last;
  for (int i = 0; i < 7; ++i) {
    last = status({}, "/v1/good/hello");
  }
  CHECK(last == "429");
  CHECK(status({}, "/readyz") == "200");  // is never counted
  const std::string metrics = running.get("/metrics").body;
  for (const char* reason : {"long_target", "long_head", "many_headers", "request_timeout"}) {
    CHECK(
        has(metrics, std::string("plexsphere_http_refusals_total{reason=\"") + reason + "\"} 1\n"));
  }
}

TEST_CASE("connections beyond the limit of one address are refused and counted as such", "[apps]") {
  Running running("drain_delay = \"0s\"\nmax_connections_per_address = 1\n");
  running.start();
  const auto port = running.url().substr(running.url().rfind(':') + 1);
  // Two connections at once, a request over the first after the second has been refused.
  const auto done = test_support::run(
      "/bin/bash",
      {"-c", "exec 3<>/dev/tcp/127.0.0.1/" + port + " 4<>/dev/tcp/127.0.0.1/" + port +
                 " && head -n 1 <&4 && printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3 && "
                 "cat <&3"});
  INFO(done.err);
  CHECK(has(done.out, "HTTP/1.1 503 "));
  CHECK(has(done.out, "\nplexsphere_http_connections_refused_total{reason=\"address\"} 1\n"));
  CHECK(has(done.out, "\nplexsphere_http_connections_refused_total{reason=\"total\"} 0\n"));
}

TEST_CASE("figures of the engine are series of their proper kind", "[apps]") {
  Running running;
  running.start();
  for (int i = 0; i < 3; ++i) {
    CHECK(running.get("/v1/good/hello").status == 200);
  }
  std::string metrics;
  // The client may have an answer before its request is no longer counted.
  CHECK(test_support::wait_until(10s, [&] {
    metrics = running.get("/metrics").body;
    return has(metrics, "\nplexsphere_http_in_flight 1\n") &&
           has(metrics, "\nplexsphere_http_connections{state=\"busy\"} 1\n");
  }));
  CHECK(std::regex_search(
      metrics, std::regex("\nplexsphere_http_connections_accepted_total ([4-9]|[1-9][0-9]+)\n")));
  for (const char* line :
       {"# TYPE plexsphere_http_connections_accepted_total counter",
        "plexsphere_http_connections_refused_total{reason=\"total\"} 0",
        "plexsphere_http_connections_refused_total{reason=\"address\"} 0",
        "plexsphere_http_connections_closed_total{reason=\"idle\"} 0",
        "plexsphere_http_connections_closed_total{reason=\"answer_not_taken\"} 0",
        "# TYPE plexsphere_http_connections_refused_total counter",
        "# TYPE plexsphere_http_connections_closed_total counter",
        "# TYPE plexsphere_tls_handshakes_total counter",
        "# TYPE plexsphere_http_connections gauge", "plexsphere_http_connections{state=\"idle\"} ",
        "plexsphere_http_connections{state=\"stream\"} 0", "plexsphere_http_buffered_bytes 0",
        "plexsphere_http_waiting{lane=\"fast\"} 0", "plexsphere_http_waiting{lane=\"blocking\"} 0",
        "plexsphere_tls_handshakes_total{result=\"failed\"} 0"}) {
    INFO(line);
    CHECK(has(metrics, line));
  }
}

}  // namespace
}  // namespace plexsphere::host::apps
