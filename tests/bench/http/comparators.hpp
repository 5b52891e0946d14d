// The servers that the host is measured beside, each a process of its own that answers every GET
// with a 200 and a body of a given size.
//
// Not thread-safe. Each owns its process and its temporary files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bench/support/child.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::bench {

// A program that prints the port it has taken.
class PrintedPortServer {
 public:
  // Throws std::runtime_error with what it wrote when it does not come up.
  PrintedPortServer(const std::filesystem::path& program, std::vector<std::string> arguments);
  std::uint16_t port() const { return port_; }

 private:
  test_support::TempDir files_;
  Child child_;
  std::uint16_t port_ = 0;
};

// Poco's own HTTPServer with so many threads.
std::unique_ptr<PrintedPortServer> stock_poco(int threads, std::size_t body_bytes);
// Go's net/http; null when `./dev bench` found no toolchain to build it with.
std::unique_ptr<PrintedPortServer> go_http(std::size_t body_bytes);

// Debian's nginx with two workers and a configuration of its own; the system's is not looked at.
class Nginx {
 public:
  // Throws std::runtime_error, naming the package, when it is not installed or does not start.
  explicit Nginx(std::size_t body_bytes);
  std::uint16_t port() const { return port_; }

 private:
  test_support::TempDir files_;
  std::uint16_t port_;
  std::unique_ptr<Child> child_;
};

}  // namespace plexsphere::bench
