// A listener whose connections go through Certificates and Handshakes, as the engine's do.
//
// Thread safety: take may be called by one thread; connections are made from anywhere.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/http/tls/certificates.hpp"
#include "host/http/tls/handshakes.hpp"

namespace plexsphere::host::http::tls {

class TlsRig {
 public:
  explicit TlsRig(std::shared_ptr<Certificates> certificates,
                  std::chrono::milliseconds deadline = std::chrono::seconds(20));
  ~TlsRig();
  TlsRig(const TlsRig&) = delete;
  TlsRig& operator=(const TlsRig&) = delete;

  std::uint16_t port() const { return listener_.address().port(); }
  Handshakes& handshakes() { return *handshakes_; }
  // The next connection whose handshake succeeded. Throws std::runtime_error after 20 seconds.
  Poco::Net::StreamSocket take();
  // Stops and joins; what is under way is dropped.
  void stop();

 private:
  void accept();

  std::shared_ptr<Certificates> certificates_;
  Poco::Net::ServerSocket listener_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Poco::Net::StreamSocket> ready_;  // guarded by mutex_
  std::unique_ptr<Handshakes> handshakes_;
  std::atomic<bool> stopping_{false};
  std::thread acceptor_;
};

// Serves one socket as the engine would: registers both directions edge-triggered once, receives
// until -1, and sends back what it received, until the client ends. Returns how many bytes.
std::size_t echo_until_end(Poco::Net::StreamSocket& socket);

// Waits (at most 20 seconds) until receiveBytes gives anything but -1, and gives that.
int receive_something(Poco::Net::StreamSocket& socket, void* buffer, int length);
// Exactly `size` bytes.
std::string receive_exactly(Poco::Net::StreamSocket& socket, std::size_t size);

}  // namespace plexsphere::host::http::tls
