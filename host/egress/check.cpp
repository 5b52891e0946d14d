#include "host/egress/check.hpp"

#include <algorithm>
#include <array>

namespace plexsphere::host::egress {
namespace {

Fault malformed(std::string detail) {
  return {Code::kInvalidArgument, "request_malformed", std::move(detail)};
}

Fault unsignable(std::string detail) {
  return {Code::kInvalidArgument, "unsignable", std::move(detail)};
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_upper_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

bool is_hex(char c) {
  return is_upper_hex(c) || (c >= 'a' && c <= 'f');
}

// RFC 3986, 2.3.
bool is_unreserved(char c) {
  return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// RFC 3986, 3.3 and 3.4: pchar, "/" and "?". "%" is looked at apart.
bool is_target(char c) {
  constexpr std::string_view kOthers = "!$&'()*+,;=:@/?";
  return is_unreserved(c) || kOthers.find(c) != std::string_view::npos;
}

template <typename Plain, typename Hex>
bool is_escaped(std::string_view text, Plain plain, Hex hex) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!plain(text[i])) {
        return false;
      }
      continue;
    }
    if (i + 2 >= text.size() || !hex(text[i + 1]) || !hex(text[i + 2])) {
      return false;
    }
    i += 2;
  }
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// RFC 9110, 5.6.2.
bool is_token(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view value) {
  return !value.empty() && value.find_first_not_of(" \t") != std::string_view::npos &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

bool belongs_to_host(std::string_view name) {
  constexpr std::array<std::string_view, 9> kOwn{
      "host", "content-length", "transfer-encoding", "connection", "expect",
      "te",   "trailer",        "upgrade",           "keep-alive"};
  return std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end() || name.starts_with("proxy-");
}

bool belongs_to_signature(std::string_view name) {
  return name == "authorization" || name == "x-amz-date" || name == "x-amz-content-sha256";
}

std::optional<Fault> check_headers(const Headers& headers) {
  if (headers.size() > kMostHeaders) {
    return malformed("a request has at most 64 headers, not " + std::to_string(headers.size()));
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers) {
    bytes += name.size() + value.size() + 4;
    if (!is_token(name) || belongs_to_host(lower(name))) {
      return malformed(is_token(name) ? "the header '" + name + "' is the host's to set"
                                      : "a header's name is no token of HTTP");
    }
    if (!is_field_value(value)) {
      return malformed("the header '" + name + "' is empty or has bytes other than visible ASCII");
    }
  }
  if (bytes > kMostHeaderBytes) {
    return malformed("the headers of a request have at most 32768 bytes, not " +
                     std::to_string(bytes));
  }
  return std::nullopt;
}

// The signer sorts whole lines "name:value", where the standard sorts names. The two differ only
// where one name begins with another, so that is refused, as are names that stand twice.
std::optional<Fault> check_signed_headers(const Headers& headers) {
  std::vector<std::string> names{"host", "x-amz-content-sha256", "x-amz-date"};
  for (const auto& [name, value] : headers) {
    if (belongs_to_signature(lower(name))) {
      return unsignable("the header '" + name + "' of a signed request is the signer's to set");
    }
    names.push_back(lower(name));
  }
  std::sort(names.begin(), names.end());
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (names[i].starts_with(names[i - 1])) {
      return unsignable("the header '" + names[i] + "' begins with the name of another, '" +
                        names[i - 1] + "'");
    }
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  while (true) {
    const auto at = text.find(by);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::optional<Fault> set_url(Request& request, std::string_view url) {
  if (url.size() > kLongestUrl) {
    return malformed("the URL is longer than 8192 bytes");
  }
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
  const auto origin = config::parse_origin(url.substr(0, path));
  if (!origin || path == std::string_view::npos) {
    return malformed(
        "the URL does not begin with an origin and a path, such as https://host:443/path");
  }
  request.origin = *origin;
  request.target = url.substr(path);
  if (!is_escaped(request.target, is_target, is_hex)) {
    return malformed("the URL's path or query has bytes that must be percent-encoded");
  }
  return std::nullopt;
}

std::optional<Fault> check_parts(const Request& request) {
  constexpr std::array<std::string_view, 7> kMethods{"GET",   "HEAD",   "PUT",    "POST",
                                                     "PATCH", "DELETE", "OPTIONS"};
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end()) {
    return malformed("the method is none of GET, HEAD, PUT, POST, PATCH, DELETE and OPTIONS");
  }
  if (request.body.size() > kLargestBody) {
    return malformed("the body has more than 67108864 bytes");
  }
  if (!request.body.empty() && (request.method == "GET" || request.method == "HEAD")) {
    return malformed("a " + request.method + " has no body");
  }
  if (request.max_response_bytes == 0 || request.max_response_bytes > kLargestResponse) {
    return malformed("max_response_bytes is 1 to 67108864, not " +
                     std::to_string(request.max_response_bytes));
  }
  return check_headers(request.headers);
}

std::optional<Fault> make_signable(Request& request) {
  for (const auto& word : {request.signature->region, request.signature->service}) {
    if (word.empty() || word.size() > 64 || !std::all_of(word.begin(), word.end(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        })) {
      return unsignable(
          "region and service are 1 to 64 of a-z, 0-9 and \"-\", as in \"eu-central-1\"");
    }
  }
  const auto mark = request.target.find('?');
  const std::string path = request.target.substr(0, mark);
  if (!is_escaped(
          path, [](char c) { return is_unreserved(c) || c == '/'; }, is_upper_hex)) {
    return unsignable(
        "the path of a signed request has unreserved characters, \"/\" and escapes in "
        "upper-case hexadecimal only");
  }
  if (path.find("%2F") != std::string::npos) {
    return unsignable("the path of a signed request has no %2F: a store reads it as \"/\"");
  }
  // Other services than S3 sign the path escaped once more, which the signer does not.
  if (request.signature->service != "s3" && path.find('%') != std::string::npos) {
    return unsignable("the path of a request signed for another service than s3 has no escapes");
  }
  std::string query;
  if (mark != std::string::npos) {
    auto items = split(std::string_view(request.target).substr(mark + 1), '&');
    for (auto& item : items) {
      const auto equals = item.find('=');
      if (equals == std::string::npos) {
        item += '=';  // it is signed so, and a server takes both for the same
      }
      if (item.front() == '=' ||
          !is_escaped(
              item, [](char c) { return is_unreserved(c) || c == '='; }, is_upper_hex) ||
          std::count(item.begin(), item.end(), '=') != 1) {
        return unsignable(
            "the query of a signed request is name=value with unreserved characters "
            "and escapes in upper-case hexadecimal only");
      }
    }
    // By name, then by value: "=" sorts between characters that names may have.
    std::sort(items.begin(), items.end(), [](const std::string& left, const std::string& right) {
      const auto l = left.find('=');
      const auto r = right.find('=');
      return std::pair(left.substr(0, l), left.substr(l)) <
             std::pair(right.substr(0, r), right.substr(r));
    });
    for (const auto& item : items) {
      query += (query.empty() ? '?' : '&') + item;
    }
  }
  request.target = path + query;
  return check_signed_headers(request.headers);
}

}  // namespace plexsphere::host::egress
