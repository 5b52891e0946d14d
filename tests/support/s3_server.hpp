// An S3 store for tests: objects in memory, and no patience with a request that is not signed
// right.
//
// Path style. PUT (If-None-Match: *, x-amz-checksum-sha256, object lock), GET, HEAD, ListObjectsV2
// with a prefix. As AWS does, it keeps a locked object from being deleted and wants a checksum with
// a lock; unlike a bucket with versions, it lets a second PUT replace the first, so that a client
// that does not look is found out.
//
// Thread safety: all members from any thread. Ownership: owns its server and objects.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "raw_server.hpp"

namespace plexsphere::test_support {

struct S3Object {
  std::string body;
  std::string etag;  // with its quotes: MD5 in hex
  std::string content_type;
  std::string lock_mode;     // empty: none
  std::string retain_until;  // RFC 3339
};

struct S3Options {
  std::string bucket = "bucket";
  std::string region = "eu-central-1";
  std::string access_key = "AKIDEXAMPLE";
  std::string secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  std::function<std::chrono::system_clock::time_point()> clock = std::chrono::system_clock::now;
  RawServerOptions server{};
};

class S3Server {
 public:
  explicit S3Server(S3Options options = {});
  ~S3Server();

  std::string url() const { return server_->url(); }
  const S3Options& options() const { return options_; }

  // Keys and objects now.
  std::map<std::string, S3Object> objects() const;
  // Behind everybody's back.
  void put(const std::string& key, const std::string& body);
  void erase(const std::string& key);

  // Requests so far, "PUT key", with the error code for those that were refused: "PUT key:
  // SlowDown".
  std::vector<std::string> log() const;
  std::size_t puts() const;  // objects stored

  // The next `count` requests that are signed right are answered so, before anything is done.
  void fail(int count, int status, const std::string& code);
  // The next `count` objects are stored and their answer never comes.
  void cut_after_store(int count);
  // Requests wait from now on, until `release`.
  void hold();
  void release();
  std::size_t held() const;

 private:
  RawAnswer handle(const RawRequest& request);
  RawAnswer serve(const RawRequest& request, const std::string& key);
  RawAnswer store(const RawRequest& request, const std::string& key);
  RawAnswer list(const std::string& target) const;
  RawAnswer refuse(const std::string& what, int status, const std::string& code);

  const S3Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, S3Object> objects_;
  std::vector<std::string> log_;
  std::size_t puts_ = 0;
  int failing_ = 0;
  int fail_status_ = 0;
  std::string fail_code_;
  int cutting_ = 0;
  bool holding_ = false;
  std::size_t held_ = 0;
  std::unique_ptr<RawServer> server_;  // last: it calls the rest
};

}  // namespace plexsphere::test_support
