#include "app/projection.hpp"

#include <zstd.h>

#include <cstdio>
#include <memory>
#include <new>

#include "app/digest.hpp"
#include "domain/chain_walk.hpp"
#include "domain/record.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::audit {
namespace {

constexpr int kLevel = 3;
constexpr std::size_t kMembers = 6;

std::string compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0) {
    throw std::bad_alloc();  // the bound is never too small, so memory is all that can be missing
  }
  out.resize(size);
  return out;
}

// By streaming: what a frame's head claims of its size is not believed.
std::optional<std::string> decompressed(std::string_view bytes) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     &ZSTD_freeDCtx);
  if (!context) {
    throw std::bad_alloc();
  }
  std::string out(kLargestProjection, '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  ZSTD_outBuffer into{out.data(), out.size(), 0};
  const std::size_t left = ZSTD_decompressStream(context.get(), &into, &in);
  if (left != 0 || in.pos != in.size) {  // broken, unfinished, too large, or followed by more
    return std::nullopt;
  }
  out.resize(into.pos);
  return out;
}

std::string member(const sdk::Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<std::string> hash_of(const sdk::Json& json, const char* name) {
  auto hash = sdk::hex_decode(member(json, name));
  return hash && hash->size() == kHashSize ? std::move(hash) : std::nullopt;
}

}  // namespace

std::string object_key(const sdk::Uuid& chain, std::int64_t seq) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%020lld", static_cast<long long>(seq));
  return "audit/" + chain.text() + "/" + digits + ".json.zst";
}

std::string to_object(const ArchivedEntry& entry) {
  return compressed(R"({"v":1,"domain_id":")" + entry.chain.text() + R"(","seq":)" +
                    std::to_string(entry.seq) + R"(,"prev_hash":")" +
                    sdk::hex_encode(entry.prev_hash) + R"(","entry_hash":")" +
                    sdk::hex_encode(entry.entry_hash) + R"(","canonical_bytes":")" +
                    sdk::base64_encode(entry.canonical_bytes) + R"("})");
}

std::optional<ArchivedEntry> from_object(std::string_view object) {
  const auto text = decompressed(object);
  const auto json = text ? sdk::parse_json(*text) : sdk::Result<sdk::Json>(sdk::Error{});
  if (!json.ok() || !json->is_object() || json->size() != kMembers) {
    return std::nullopt;
  }
  const auto version = json->find("v");
  const auto seq = json->find("seq");
  const auto chain = sdk::Uuid::parse(member(*json, "domain_id"));
  const auto prev = hash_of(*json, "prev_hash");
  const auto entry = hash_of(*json, "entry_hash");
  const auto canonical = sdk::base64_decode(member(*json, "canonical_bytes"));
  if (version == json->end() || !version->is_number_integer() || *version != 1 ||
      seq == json->end() || !seq->is_number_integer() || *seq < 1 || !chain || !prev || !entry ||
      !canonical) {
    return std::nullopt;
  }
  return ArchivedEntry{*chain, seq->get<std::int64_t>(), *prev, *entry, *canonical};
}

bool proves_itself(const ArchivedEntry& entry) {
  ChainWalk walk(&entry_hash, canonical_head(entry.chain.text()), entry.seq, std::nullopt);
  return entry.seq >= 1 &&
         !walk.step({entry.seq, entry.prev_hash, entry.entry_hash, entry.canonical_bytes, true});
}

}  // namespace plexsphere::audit
