#include "app/mirror.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "app/digest.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {
namespace {

using sdk::EgressRequest;
using sdk::EgressResponse;
using sdk::Error;
using sdk::Result;

constexpr std::size_t kMostAnswer = 64 * 1024;  // of what is no object
constexpr std::size_t kLongestEtag = 256;
constexpr std::size_t kLongestCode = 64;
constexpr std::chrono::milliseconds kAskStop{100};

// What many requests came to. Shared by the one who waits and by the completions that are owed,
// which may be late when he has given up.
struct Gathered {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<Result<EgressResponse>>> answers;
  std::size_t missing = 0;
};

// The store's word for what it refused, if it is one.
std::string code_of(std::string_view body) {
  constexpr std::string_view kOpen = "<Code>";
  const auto at = body.find(kOpen);
  const auto end = at == std::string_view::npos ? at : body.find("</Code>", at);
  if (end == std::string_view::npos) {
    return {};
  }
  const auto code = body.substr(at + kOpen.size(), end - at - kOpen.size());
  const bool word =
      code.size() <= kLongestCode && std::all_of(code.begin(), code.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      });
  return word ? " " + std::string(code) : std::string();
}

Error refusal(const char* method, const EgressResponse& answer) {
  return {sdk::Code::unavailable, "mirror_refused",
          std::string("the store answered a ") + method + " with " + std::to_string(answer.status) +
              code_of(answer.body)};
}

std::string etag_of(const EgressResponse& answer) {
  std::string_view etag = answer.header("etag");
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag.empty() ? "none" : std::string(etag.substr(0, kLongestEtag));
}

// Seconds are all that stores take.
std::string retain_until(sdk::Instant now, std::chrono::days time) {
  return sdk::rfc3339(std::chrono::ceil<std::chrono::seconds>(now) + time);
}

}  // namespace

EgressRequest Mirror::request(const char* method, const std::string& key) const {
  EgressRequest out;
  out.method = method;
  out.url = settings_.endpoint + "/" + settings_.bucket + "/" + key;
  out.deadline = settings_.deadline;
  out.max_response_bytes = kMostAnswer;
  out.sign = {settings_.region, "s3"};
  return out;
}

std::vector<Result<EgressResponse>> Mirror::ask(const std::vector<EgressRequest>& requests,
                                                const Stop& stop) const {
  const auto gathered = std::make_shared<Gathered>();
  gathered->answers.resize(requests.size());
  gathered->missing = requests.size();
  const auto keep = [](Gathered& all, std::size_t i, Result<EgressResponse> answer) {
    const std::lock_guard lock(all.mutex);
    all.answers[i] = std::move(answer);
    --all.missing;
    all.changed.notify_all();
  };
  std::vector<px_egress_id> ids;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto sent = egress_.send(requests[i], [gathered, keep, i](Result<EgressResponse> answer) {
      keep(*gathered, i, std::move(answer));
    });
    if (sent.ok()) {
      ids.push_back(*sent);
    } else {
      keep(*gathered, i, sent.error());
    }
  }
  std::unique_lock lock(gathered->mutex);
  bool stopped = false;
  while (!gathered->changed.wait_for(lock, kAskStop, [&] { return gathered->missing == 0; })) {
    if (!stopped && stop()) {
      stopped = true;
      lock.unlock();
      for (const px_egress_id id : ids) {
        (void)egress_.cancel(id);
      }
      lock.lock();
    }
  }
  std::vector<Result<EgressResponse>> out;
  for (auto& answer : gathered->answers) {
    out.push_back(std::move(*answer));
  }
  return out;
}

std::vector<Result<std::optional<Mirror::Object>>> Mirror::get(const std::vector<std::string>& keys,
                                                               const Stop& stop) const {
  std::vector<EgressRequest> requests;
  for (const auto& key : keys) {
    requests.push_back(request("GET", key));
    requests.back().max_response_bytes = kLargestProjection;
  }
  std::vector<Result<std::optional<Object>>> out;
  for (auto& answer : ask(requests, stop)) {
    if (!answer.ok()) {
      out.emplace_back(answer.error());
    } else if (answer->status == 200) {
      out.emplace_back(std::optional(Object{etag_of(*answer), std::move(answer->body)}));
    } else if (answer->status == 404 && code_of(answer->body) != " NoSuchBucket") {
      out.emplace_back(std::optional<Object>());
    } else {
      out.emplace_back(refusal("GET", *answer));
    }
  }
  return out;
}

std::vector<Result<EgressResponse>> Mirror::look(const std::vector<ArchivedEntry>& entries,
                                                 const Stop& stop) const {
  std::vector<EgressRequest> requests;
  for (const auto& entry : entries) {
    requests.push_back(request("HEAD", object_key(entry.chain, entry.seq)));
  }
  return ask(requests, stop);
}

std::vector<Mirror::Copied> Mirror::copy(const std::vector<ArchivedEntry>& entries,
                                         sdk::Instant now, const Stop& stop) const {
  std::vector<Copied> out(entries.size());
  std::vector<ArchivedEntry> absent;
  std::vector<std::size_t> absent_at;
  std::vector<std::size_t> there;
  const auto looks = look(entries, stop);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!looks[i].ok()) {
      out[i].error = looks[i].error();
    } else if (looks[i]->status == 200) {
      there.push_back(i);
    } else if (looks[i]->status == 404) {
      absent.push_back(entries[i]);
      absent_at.push_back(i);
    } else {
      out[i].error = refusal("HEAD", *looks[i]);
    }
  }
  std::vector<Copied> puts(absent.size());
  std::vector<std::size_t> overtaken;
  put(absent, now, stop, puts, overtaken);
  for (std::size_t k = 0; k < absent.size(); ++k) {
    out[absent_at[k]] = std::move(puts[k]);
  }
  for (const std::size_t k : overtaken) {
    there.push_back(absent_at[k]);
  }
  compare(entries, there, stop, out);
  return out;
}

// `there`: those that somebody else has put meanwhile.
void Mirror::put(const std::vector<ArchivedEntry>& entries, sdk::Instant now, const Stop& stop,
                 std::vector<Copied>& out, std::vector<std::size_t>& there) const {
  std::vector<std::string> bodies;
  for (const auto& entry : entries) {
    bodies.push_back(to_object(entry));
  }
  std::vector<EgressRequest> requests;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto one = request("PUT", object_key(entries[i].chain, entries[i].seq));
    one.body = bodies[i];
    one.headers = {{"Content-Type", "application/zstd"},
                   {"If-None-Match", "*"},
                   {"x-amz-checksum-sha256", sdk::base64_encode(sha256(bodies[i]))},
                   {"x-amz-sdk-checksum-algorithm", "SHA256"}};
    if (!settings_.lock_mode.empty()) {
      one.headers.emplace_back("x-amz-object-lock-mode", settings_.lock_mode);
      one.headers.emplace_back("x-amz-object-lock-retain-until-date",
                               retain_until(now, settings_.retention_for(entries[i].chain)));
    }
    requests.push_back(std::move(one));
  }
  const auto answers = ask(requests, stop);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!answers[i].ok()) {
      out[i].error = answers[i].error();
    } else if (answers[i]->status == 200) {
      out[i].state = Copy::stored;
      out[i].etag = etag_of(*answers[i]);
    } else if (answers[i]->status == 412) {
      there.push_back(i);
    } else {
      out[i].error = refusal("PUT", *answers[i]);
    }
  }
}

// What is compared is what the objects say: another version of the compressor makes other bytes.
void Mirror::compare(const std::vector<ArchivedEntry>& entries,
                     const std::vector<std::size_t>& which, const Stop& stop,
                     std::vector<Copied>& out) const {
  std::vector<std::string> keys;
  for (const std::size_t i : which) {
    keys.push_back(object_key(entries[i].chain, entries[i].seq));
  }
  const auto objects = get(keys, stop);
  for (std::size_t k = 0; k < which.size(); ++k) {
    Copied& copied = out[which[k]];
    copied = {};
    if (!objects[k].ok()) {
      copied.error = objects[k].error();
    } else if (!objects[k].value()) {
      copied.error = {sdk::Code::aborted, "mirror_changed", "the object vanished meanwhile"};
    } else {
      copied.found = from_object(objects[k].value()->body);
      copied.state = copied.found == entries[which[k]] ? Copy::stored : Copy::differs;
      copied.etag = objects[k].value()->etag;
    }
  }
}

}  // namespace plexsphere::audit
