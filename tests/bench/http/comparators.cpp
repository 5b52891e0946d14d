#include "http/comparators.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <stdexcept>

#include "bench/support/client_socket.hpp"
#include "bench/support/listener.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::bench {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::read_file;

namespace {

constexpr const char* kNginx = "/usr/sbin/nginx";

std::vector<std::string> command_line(const std::filesystem::path& program,
                                      std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program.string());
  return arguments;
}

bool accepts(std::uint16_t port) {
  try {
    const ClientSocket probe({.port = port});
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string nginx_configuration(std::uint16_t port, std::size_t body_bytes) {
  return "daemon off;\nworker_processes 2;\npid nginx.pid;\nerror_log stderr crit;\n"
         "worker_rlimit_nofile 16384;\n"
         "events { worker_connections 8192; }\n"
         "http {\n"
         "  access_log off;\n"
         "  keepalive_requests 1000000000;\n"
         "  keepalive_timeout 600s;\n"
         "  default_type application/json;\n"
         "  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
         "  uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
         "  server {\n"
         "    listen 127.0.0.1:" +
         std::to_string(port) + " backlog=4096;\n    location / { return 200 \"" +
         std::string(body_bytes, 'x') + "\"; }\n  }\n}\n";
}

}  // namespace

PrintedPortServer::PrintedPortServer(const std::filesystem::path& program,
                                     std::vector<std::string> arguments)
    : child_(command_line(program, std::move(arguments)), (files_.path() / "out").string()) {
  const auto out = files_.path() / "out";
  (void)test_support::wait_until(
      20s, [&] { return read_file(out).ends_with('\n') || !child_.running(); });
  if (!child_.running()) {
    throw std::runtime_error(program.string() + " does not start: " + read_file(out));
  }
  port_ = static_cast<std::uint16_t>(std::stoul(read_file(out)));
}

std::unique_ptr<PrintedPortServer> stock_poco(int threads, std::size_t body_bytes) {
  return std::make_unique<PrintedPortServer>(
      PLEXSPHERE_TEST_BIN "/bench_stock_poco",
      std::vector{std::to_string(threads), std::to_string(body_bytes)});
}

std::unique_ptr<PrintedPortServer> go_http(std::size_t body_bytes) {
  const std::filesystem::path program(PLEXSPHERE_TEST_BIN "/bench_go_http");
  if (!std::filesystem::exists(program)) {
    return nullptr;
  }
  return std::make_unique<PrintedPortServer>(program, std::vector{std::to_string(body_bytes)});
}

// SIGTERM, not SIGKILL: killed, the master would leave its workers behind.
Nginx::Nginx(std::size_t body_bytes) : port_(free_port()) {
  if (::access(kNginx, X_OK) != 0) {
    throw std::runtime_error(std::string(kNginx) + " is missing: install the package nginx");
  }
  const auto configuration =
      files_.write("nginx.conf", nginx_configuration(port_, body_bytes)).string();
  const auto log = (files_.path() / "log").string();
  child_ = std::make_unique<Child>(std::vector<std::string>{kNginx, "-p", files_.path().string(),
                                                            "-e", "stderr", "-c", configuration},
                                   log, SIGTERM);
  (void)test_support::wait_until(10s, [&] { return accepts(port_) || !child_->running(); });
  if (!child_->running()) {
    throw std::runtime_error("nginx does not start: " + read_file(log));
  }
}

}  // namespace plexsphere::bench
