// One request on one libcurl handle.
//
// Thread safety: none; the engine's thread only. Ownership: owns the handle and everything it
// points into, so it neither moves nor copies. The handle must be out of its multi handle before
// this goes.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "host/egress/request.hpp"

namespace plexsphere::host::egress {

// Sets up libcurl for the process, with memory that is wiped when given back. Idempotent.
void initialise_curl();

class Transfer {
 public:
  // Wipes the request's secret once libcurl has it. Throws std::bad_alloc.
  explicit Transfer(Request& request);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return handle_.get(); }

  // After libcurl is done with it.
  Outcome outcome(CURLcode code);

 private:
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  bool take_header(std::string_view line);
  void add_header(const std::string& line);
  void set_body();
  void sign();
  Fault fault(CURLcode code) const;

  struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  Request& request_;
  Response response_;
  std::size_t header_bytes_ = 0;
  std::size_t body_sent_ = 0;
  bool too_large_ = false;
  bool address_refused_ = false;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<curl_slist, FreeList> connect_to_;
  std::unique_ptr<CURL, FreeHandle> handle_;  // last: it points at the rest
};

// Whether an address is never connected to unless the operator granted that very address: IPv4
// 169.254.0.0/16 (RFC 3927) and IPv6 fe80::/10 (RFC 4291), also in its IPv4-mapped form, and
// fd00:ec2::254. Clouds hand out a machine's credentials there.
bool is_link_local(const sockaddr& address);

}  // namespace plexsphere::host::egress
