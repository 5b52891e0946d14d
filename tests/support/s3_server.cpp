#include "s3_server.hpp"

#include <openssl/evp.h>

#include "sigv4.hpp"

namespace plexsphere::test_support {
namespace {

std::string digest(const std::string& bytes, const EVP_MD* how) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(how)), '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr, how,
             nullptr);
  return out;
}

std::string base64(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string etag_of(const std::string& body) {
  std::string out = "\"";
  for (const char c : digest(body, EVP_md5())) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out + "\"";
}

std::string parameter(const std::string& target, const std::string& name) {
  const auto mark = target.find('?');
  if (mark == std::string::npos) {
    return {};
  }
  const std::string query = "&" + target.substr(mark + 1) + "&";
  const auto at = query.find("&" + name + "=");
  if (at == std::string::npos) {
    return {};
  }
  const auto from = at + name.size() + 2;
  return percent_decoded(query.substr(from, query.find('&', from) - from));
}

}  // namespace

S3Server::S3Server(S3Options options)
    : options_(std::move(options)),
      server_(std::make_unique<RawServer>(
          [this](const RawRequest& request) { return handle(request); }, options_.server)) {}

S3Server::~S3Server() {
  release();
}

std::map<std::string, S3Object> S3Server::objects() const {
  const std::lock_guard lock(mutex_);
  return objects_;
}

void S3Server::put(const std::string& key, const std::string& body) {
  const std::lock_guard lock(mutex_);
  objects_[key].body = body;
  objects_[key].etag = etag_of(body);
}

void S3Server::erase(const std::string& key) {
  const std::lock_guard lock(mutex_);
  objects_.erase(key);
}

std::vector<std::string> S3Server::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::size_t S3Server::puts() const {
  const std::lock_guard lock(mutex_);
  return puts_;
}

void S3Server::fail(int count, int status, const std::string& code) {
  const std::lock_guard lock(mutex_);
  failing_ = count;
  fail_status_ = status;
  fail_code_ = code;
}

void S3Server::cut_after_store(int count) {
  const std::lock_guard lock(mutex_);
  cutting_ = count;
}

void S3Server::hold() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void S3Server::release() {
  const std::lock_guard lock(mutex_);
  holding_ = false;
  changed_.notify_all();
}

std::size_t S3Server::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

RawAnswer S3Server::refuse(const std::string& what, int status, const std::string& code) {
  log_.push_back(what + ": " + code);
  const bool bodiless = what.starts_with("HEAD ");
  return http_answer(status,
                     bodiless ? ""
                              : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
                                    "</Code></Error>",
                     {{"Content-Type", "application/xml"}});
}

RawAnswer S3Server::handle(const RawRequest& request) {
  std::unique_lock lock(mutex_);
  const std::string path = percent_decoded(request.target.substr(0, request.target.find('?')));
  const std::string root = "/" + options_.bucket;
  const std::string key = path.starts_with(root + "/") ? path.substr(root.size() + 1) : "";
  const std::string what = request.method + " " + key;
  ++held_;
  changed_.wait(lock, [this] { return !holding_; });
  --held_;
  const auto refusal = sigv4_refusal(request, {options_.region, "s3",
                                               [this](const std::string& access_key) {
                                                 return access_key == options_.access_key
                                                            ? std::optional(options_.secret_key)
                                                            : std::nullopt;
                                               },
                                               options_.clock()});
  if (!refusal.empty()) {
    return refuse(what, refusal == "XAmzContentSHA256Mismatch" ? 400 : 403, refusal);
  }
  if (failing_ > 0) {
    --failing_;
    return refuse(what, fail_status_, fail_code_);
  }
  if (path == root && request.method == "GET") {
    log_.push_back("LIST " + parameter(request.target, "prefix"));
    return list(request.target);
  }
  if (key.empty()) {
    return refuse(what, 404, "NoSuchBucket");
  }
  return serve(request, key);
}

RawAnswer S3Server::serve(const RawRequest& request, const std::string& key) {
  const std::string what = request.method + " " + key;
  if (request.method == "PUT") {
    return store(request, key);
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return refuse(what, 405, "MethodNotAllowed");
  }
  const auto found = objects_.find(key);
  if (found == objects_.end()) {
    return refuse(what, 404, "NoSuchKey");
  }
  log_.push_back(what);
  auto answer = http_answer(200, found->second.body, {{"ETag", found->second.etag}});
  if (request.method == "HEAD") {
    answer.bytes.resize(answer.bytes.size() - found->second.body.size());
  }
  return answer;
}

RawAnswer S3Server::store(const RawRequest& request, const std::string& key) {
  const std::string what = "PUT " + key;
  const auto checksum = request.only("x-amz-checksum-sha256");
  const auto mode = request.only("x-amz-object-lock-mode");
  const auto until = request.only("x-amz-object-lock-retain-until-date");
  if (request.only("if-none-match") && objects_.count(key) != 0) {
    return refuse(what, 412, "PreconditionFailed");
  }
  if (checksum && *checksum != base64(digest(request.body, EVP_sha256()))) {
    return refuse(what, 400, "BadDigest");
  }
  if (mode.has_value() != until.has_value() || (mode && !checksum)) {
    return refuse(what, 400, "InvalidRequest");
  }
  objects_[key] = {request.body, etag_of(request.body), request.only("content-type").value_or(""),
                   mode.value_or(""), until.value_or("")};
  ++puts_;
  log_.push_back(what);
  if (cutting_ > 0) {
    --cutting_;
    return {"", true};
  }
  return http_answer(200, "", {{"ETag", objects_[key].etag}});
}

RawAnswer S3Server::list(const std::string& target) const {
  const std::string prefix = parameter(target, "prefix");
  std::string items;
  std::size_t count = 0;
  for (auto at = objects_.lower_bound(prefix);
       at != objects_.end() && at->first.starts_with(prefix); ++at, ++count) {
    items += "<Contents><Key>" + at->first + "</Key><ETag>" + at->second.etag + "</ETag><Size>" +
             std::to_string(at->second.body.size()) + "</Size></Contents>";
  }
  return http_answer(200,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><KeyCount>" +
                         std::to_string(count) + "</KeyCount><IsTruncated>false</IsTruncated>" +
                         items + "</ListBucketResult>",
                     {{"Content-Type", "application/xml"}});
}

}  // namespace plexsphere::test_support
