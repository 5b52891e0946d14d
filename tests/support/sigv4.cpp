#include "sigv4.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <sstream>

namespace plexsphere::test_support {
namespace {

constexpr std::chrono::minutes kSkew{15};

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string sha256(const std::string& bytes) {
  std::string out(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
             EVP_sha256(), nullptr);
  return out;
}

std::string hmac(const std::string& key, const std::string& bytes) {
  std::string out(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string encoded(const std::string& text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string("-._~").find(c) != std::string::npos ||
        (keep_slash && c == '/')) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) {
    out.push_back(part);
  }
  return out;
}

std::string canonical_query(const std::string& target) {
  const auto mark = target.find('?');
  if (mark == std::string::npos) {
    return {};
  }
  std::vector<std::pair<std::string, std::string>> items;
  for (const auto& item : split(target.substr(mark + 1), '&')) {
    const auto equals = item.find('=');
    items.emplace_back(encoded(percent_decoded(item.substr(0, equals)), false),
                       equals == std::string::npos
                           ? ""
                           : encoded(percent_decoded(item.substr(equals + 1)), false));
  }
  std::sort(items.begin(), items.end());
  std::string out;
  for (const auto& [name, value] : items) {
    out += (out.empty() ? "" : "&") + name + "=" + value;
  }
  return out;
}

// Runs of spaces become one.
std::string collapsed(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c != ' ' || out.empty() || out.back() != ' ') {
      out += c;
    }
  }
  return out;
}

std::string canonical_request(const RawRequest& request,
                              const std::vector<std::string>& signed_headers) {
  std::string headers;
  std::string names;
  for (const auto& name : signed_headers) {
    std::string values;
    for (const auto& value : request.all(name)) {
      values += (values.empty() ? "" : ",") + collapsed(value);
    }
    headers += name + ":" + values + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const auto given = request.only("x-amz-content-sha256");
  return request.method + "\n" +
         encoded(percent_decoded(request.target.substr(0, request.target.find('?'))), true) + "\n" +
         canonical_query(request.target) + "\n" + headers + "\n" + names + "\n" +
         (given ? *given : hex(sha256(request.body)));
}

struct Authorization {
  std::string access_key;
  std::string scope;  // date/region/service/aws4_request
  std::vector<std::string> signed_headers;
  std::string signature;
};

std::optional<Authorization> parse(const std::string& text) {
  const std::string algorithm = "AWS4-HMAC-SHA256 ";
  if (!text.starts_with(algorithm)) {
    return std::nullopt;
  }
  Authorization out;
  for (auto part : split(text.substr(algorithm.size()), ',')) {
    part.erase(0, part.find_first_not_of(' '));
    const auto equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    if (name == "Credential") {
      out.access_key = value.substr(0, value.find('/'));
      out.scope = value.substr(value.find('/') + 1);
    } else if (name == "SignedHeaders") {
      out.signed_headers = split(value, ';');
    } else if (name == "Signature") {
      out.signature = value;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

// "20130524T000000Z".
std::optional<std::chrono::system_clock::time_point> time_of(const std::string& date) {
  std::tm parts{};
  const char* end = ::strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &parts);
  if (date.size() != 16 || end == nullptr || *end != '\0') {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

// What a client or a proxy may add without the signer's knowledge.
bool may_be_unsigned(const std::string& name) {
  static const std::set<std::string> names{"authorization",  "user-agent", "accept",
                                           "content-length", "expect",     "connection"};
  return names.count(name) != 0;
}

bool headers_are_signed(const RawRequest& request, const Authorization& authorization) {
  const auto& names = authorization.signed_headers;
  if (!std::is_sorted(names.begin(), names.end()) ||
      std::adjacent_find(names.begin(), names.end()) != names.end() ||
      !std::binary_search(names.begin(), names.end(), std::string("host"))) {
    return false;
  }
  for (const auto& [name, value] : request.headers) {
    if (!may_be_unsigned(lower(name)) &&
        !std::binary_search(names.begin(), names.end(), lower(name))) {
      return false;
    }
  }
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return request.only(name).has_value(); });
}

}  // namespace

std::string hex_sha256(const std::string& bytes) {
  return hex(sha256(bytes));
}

std::string sigv4_signature(const RawRequest& request,
                            const std::vector<std::string>& signed_headers,
                            const std::string& region, const std::string& service,
                            const std::string& secret) {
  const auto dates = request.all("x-amz-date");
  const std::string date = dates.empty() ? "" : dates.front();
  const std::string day = date.substr(0, 8);
  const std::string scope = day + "/" + region + "/" + service + "/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" +
                              hex(sha256(canonical_request(request, signed_headers)));
  return hex(
      hmac(hmac(hmac(hmac(hmac("AWS4" + secret, day), region), service), "aws4_request"), to_sign));
}

std::string sigv4_refusal(const RawRequest& request, const SigV4Expectation& expected) {
  const auto header = request.only("authorization");
  const auto authorization = header ? parse(*header) : std::nullopt;
  if (!authorization) {
    return header ? "AuthorizationHeaderMalformed" : "AccessDenied";
  }
  const auto date = request.only("x-amz-date");
  const auto time = date ? time_of(*date) : std::nullopt;
  if (!time) {
    return "AccessDenied";
  }
  if (*time < expected.now - kSkew || *time > expected.now + kSkew) {
    return "RequestTimeTooSkewed";
  }
  if (authorization->scope !=
      date->substr(0, 8) + "/" + expected.region + "/" + expected.service + "/aws4_request") {
    return "AuthorizationHeaderMalformed";
  }
  const auto secret = expected.secret(authorization->access_key);
  if (!secret) {
    return "InvalidAccessKeyId";
  }
  if (!headers_are_signed(request, *authorization)) {
    return "AccessDenied";
  }
  if (sigv4_signature(request, authorization->signed_headers, expected.region, expected.service,
                      *secret) != authorization->signature) {
    return "SignatureDoesNotMatch";
  }
  if (expected.service == "s3" &&
      request.only("x-amz-content-sha256") != hex_sha256(request.body)) {
    return "XAmzContentSHA256Mismatch";
  }
  return {};
}

}  // namespace plexsphere::test_support
