#include "app/archive_settings.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Uuid;
using std::chrono::days;

constexpr int kMostDays = 36'500;

Error refused(std::string detail) {
  return {sdk::Code::invalid_argument, "archive_settings", std::move(detail)};
}

bool has_only(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

// The scheme, a host and perhaps a port; the host judges the rest when it is asked to go there.
bool is_origin(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) {
    return false;
  }
  const auto name = text.substr(0, scheme);
  const auto rest = text.substr(scheme + 3);
  return (name == "https" || name == "http") && !rest.empty() &&
         rest.find_first_of("/?#@ ") == std::string_view::npos;
}

std::optional<days> days_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || std::string_view(end, text.data() + text.size()) != "d" ||
      number < 1 || number > kMostDays) {
    return std::nullopt;
  }
  return days(number);
}

Result<std::string> lock_mode(const std::string& text) {
  if (text == "governance") {
    return std::string("GOVERNANCE");
  }
  if (text == "compliance") {
    return std::string("COMPLIANCE");
  }
  if (text == "off") {
    return std::string();
  }
  return refused("archive_object_lock is '" + text + "': write governance, compliance or off");
}

}  // namespace

Result<std::map<Uuid, days>> read_days(const std::vector<std::string>& items,
                                       const std::string& key) {
  std::map<Uuid, days> out;
  for (const std::string& item : items) {
    const auto equals = item.find('=');
    const auto chain = Uuid::parse(std::string_view(item).substr(0, equals));
    const auto time = equals == std::string::npos
                          ? std::nullopt
                          : days_of(std::string_view(item).substr(equals + 1));
    if (!chain || !time || !out.emplace(*chain, *time).second) {
      return refused(key + " has the item '" + item +
                     "', which is no Domain's id, \"=\" and 1d to 36500d, or names one twice");
    }
  }
  return out;
}

Result<std::optional<ArchiveSettings>> read_archive_settings(const sdk::Config& config) {
  const auto endpoint = config.string("archive_endpoint");
  if (!endpoint.ok()) {
    return endpoint.error().reason == "unset"
               ? Result<std::optional<ArchiveSettings>>(std::optional<ArchiveSettings>())
               : endpoint.error();
  }
  const auto bucket = config.string("archive_bucket");
  const auto region = config.string("archive_region");
  const auto lock = config.string("archive_object_lock");
  const auto domains = config.list("archive_domain_retention");
  const auto retention = config.duration("archive_retention");
  const auto interval = config.duration("archive_interval");
  const auto scan = config.duration("archive_scan_interval");
  const auto deadline = config.duration("archive_deadline");
  for (const Error* missing :
       {bucket.ok() ? nullptr : &bucket.error(), region.ok() ? nullptr : &region.error(),
        lock.ok() ? nullptr : &lock.error(), domains.ok() ? nullptr : &domains.error(),
        retention.ok() ? nullptr : &retention.error(), interval.ok() ? nullptr : &interval.error(),
        scan.ok() ? nullptr : &scan.error(), deadline.ok() ? nullptr : &deadline.error()}) {
    if (missing != nullptr) {
      return *missing;
    }
  }
  if (!is_origin(*endpoint)) {
    return refused("archive_endpoint is '" + *endpoint +
                   "': write scheme, host and port, as in https://s3.example:443, without a path");
  }
  if (bucket->size() < 3 || bucket->size() > 63 || !has_only(*bucket, "-.")) {
    return refused("archive_bucket is '" + *bucket +
                   "': a bucket's name is 3 to 63 of a-z, 0-9, \"-\" and \".\"");
  }
  if (region->empty() || region->size() > 64 || !has_only(*region, "-")) {
    return refused("archive_region is '" + *region + "': a region is such as eu-central-1");
  }
  auto mode = lock_mode(*lock);
  if (!mode.ok()) {
    return mode.error();
  }
  auto own = read_days(*domains, "archive_domain_retention");
  if (!own.ok()) {
    return own.error();
  }
  ArchiveSettings out;
  out.endpoint = *endpoint;
  out.bucket = *bucket;
  out.region = *region;
  out.lock_mode = *mode;
  out.retention = std::chrono::ceil<days>(*retention);
  out.retention_of = *own;
  out.interval = *interval;
  out.scan_interval = *scan;
  out.deadline = *deadline;
  return std::optional(std::move(out));
}

}  // namespace plexsphere::audit
