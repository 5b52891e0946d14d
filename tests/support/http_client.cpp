#include "http_client.hpp"

#include <strings.h>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/URI.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>
#include <stdexcept>

namespace plexsphere::test_support {
namespace {

HttpResponse exchange(Poco::Net::HTTPClientSession& session, const std::string& method,
                      const std::string& target, const HttpHeaders& headers,
                      const std::string& body) {
  Poco::Net::HTTPRequest request(method, target, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : headers) {
    request.set(name, value);
  }
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    request.setContentLength64(static_cast<Poco::Int64>(body.size()));
  }
  request.setKeepAlive(false);
  session.sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size()));

  Poco::Net::HTTPResponse answer;
  std::istream& stream = session.receiveResponse(answer);
  HttpResponse result;
  result.status = static_cast<int>(answer.getStatus());
  for (const auto& [name, value] : answer) {
    result.headers.emplace(name, value);
  }
  result.body.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  return result;
}

}  // namespace

bool CaseInsensitiveLess::operator()(std::string_view left, std::string_view right) const {
  const auto common = std::min(left.size(), right.size());
  const int order = ::strncasecmp(left.data(), right.data(), common);
  return order != 0 ? order < 0 : left.size() < right.size();
}

HttpResponse HttpClient::request(const std::string& method, const std::string& url,
                                 const HttpHeaders& headers, const std::string& body) const {
  try {
    const Poco::URI uri(url);
    if (uri.getScheme() != "http") {
      throw std::runtime_error(url + ": only http:// is spoken here");
    }
    Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
    session.setTimeout(Poco::Timespan(timeout_.count() * 1000));
    const auto target = uri.getPathAndQuery();
    return exchange(session, method, target.empty() ? "/" : target, headers, body);
  } catch (const Poco::Exception& error) {
    throw std::runtime_error(method + " " + url + ": " + error.displayText());
  }
}

}  // namespace plexsphere::test_support
