#include "soak/audit/evidence.hpp"

#include <sodium.h>
#include <zstd.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/merkle.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::soak {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

std::string sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

// Zstandard as in RFC 8878; at most a mebibyte, many times an entry.
std::string decompressed(const std::string& object) {
  std::string out(1U << 20U, '\0');
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), object.data(), object.size());
  if (ZSTD_isError(size) != 0) {
    throw std::runtime_error(ZSTD_getErrorName(size));
  }
  out.resize(size);
  return out;
}

// Chain, number and hash of what the object proves to be.
Place read_object(const std::string& body) {
  const json object = json::parse(decompressed(body));
  const auto prev = sdk::hex_decode(object.at("prev_hash").get<std::string>());
  const auto canonical = sdk::base64_decode(object.at("canonical_bytes").get<std::string>());
  if (object.size() != 6 || object.at("v") != 1 || !prev || !canonical) {
    throw std::runtime_error("is not an object of the mirror");
  }
  const json record = json::parse(*canonical);
  Place place{object.at("domain_id"), object.at("seq"), object.at("entry_hash")};
  if (sdk::hex_encode(sha256(*prev + sha256(*canonical))) != place.hash ||
      record.at("chain") != place.chain || record.at("seq") != place.seq) {
    throw std::runtime_error("does not prove what it says");
  }
  return place;
}

std::string key_of(const std::string& chain, std::uint64_t seq) {
  const std::string digits = std::to_string(seq);
  return "audit/" + chain + "/" + std::string(20 - digits.size(), '0') + digits + ".json.zst";
}

void check_object(const std::string& key, const test_support::S3Object& object,
                  const Chains& chains) {
  try {
    const Place place = read_object(object.body);
    const auto chain = chains.hashes().find(place.chain);
    const auto at = static_cast<std::size_t>(place.seq - 1);
    if (key != key_of(place.chain, static_cast<std::uint64_t>(place.seq))) {
      throw std::runtime_error("is another entry's");
    }
    if (chain == chains.hashes().end() || at >= chain->second.size()) {
      throw std::runtime_error("is of an entry that does not exist");
    }
    if (chain->second[at] != place.hash) {
      throw std::runtime_error("says something else than its entry");
    }
  } catch (const std::exception& error) {
    throw std::runtime_error("the mirror's " + key + ": " + error.what());
  }
}

}  // namespace

void Evidence::wait_until_archived() const {
  std::string left;
  if (!test_support::wait_until(120s, [&] {
        left = site_->sql("SELECT count(*) FROM audit.audit_log_entry WHERE archived_at IS NULL");
        return left == "0";
      })) {
    throw std::runtime_error(left + " entries are never archived");
  }
}

void Evidence::check_mirror(const Chains& chains) {
  const auto objects = site_->store().objects();
  for (const auto& [key, object] : objects) {
    check_object(key, object, chains);
  }
  if (site_->store().puts() != objects.size()) {
    throw std::runtime_error("an object of the mirror was replaced");
  }
  std::istringstream stamps(site_->sql(
      "SELECT domain_id, seq, archive_etag FROM audit.audit_log_entry WHERE archived_at IS NOT "
      "NULL"));
  for (std::string stamp; std::getline(stamps, stamp);) {
    const std::string key = key_of(stamp.substr(0, 36), std::stoull(stamp.substr(37)));
    const auto object = objects.find(key);
    if (object == objects.end()) {
      throw std::runtime_error("an entry is stamped, and there is no " + key);
    }
    if (object->second.etag != "\"" + stamp.substr(stamp.rfind('|') + 1) + "\"") {
      throw std::runtime_error("an entry is stamped with another name than that of " + key);
    }
  }
  objects_ = objects.size();
}

void Evidence::check_checkpoints(const Chains& chains) {
  std::map<std::string, std::map<std::uint64_t, std::string>> now;
  std::istringstream lines(
      site_->sql("SELECT domain_id, size, encode(root_hash, 'hex') FROM audit.audit_checkpoint"));
  for (std::string line; std::getline(lines, line);) {
    now[line.substr(0, 36)][std::stoull(line.substr(37))] = line.substr(line.rfind('|') + 1);
  }
  for (const auto& [place, root] : checkpoints_) {
    if (now[place.first][place.second] != root) {
      throw std::runtime_error("the checkpoint of " + place.first + " at " +
                               std::to_string(place.second) + " is gone or another");
    }
  }
  for (const auto& [chain, roots] : now) {
    sdk::merkle::CompactRange tree(&sha256);
    const auto known = chains.hashes().find(chain);
    for (const auto& [size, root] : roots) {
      if (known == chains.hashes().end() || size > known->second.size()) {
        continue;  // made meanwhile; the next round sees it
      }
      while (tree.size() < size) {
        tree.append(sdk::merkle::leaf_hash(&sha256, *sdk::hex_decode(known->second[tree.size()])));
      }
      if (sdk::hex_encode(tree.root()) != root) {
        throw std::runtime_error("the checkpoint of " + chain + " at " + std::to_string(size) +
                                 " is not of this chain");
      }
      checkpoints_[{chain, size}] = root;
    }
  }
}

}  // namespace plexsphere::soak
