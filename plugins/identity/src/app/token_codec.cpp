#include "app/token_codec.hpp"

#include <sodium.h>

#include <array>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::size_t kSelector = 10;
constexpr std::size_t kTag = 10;
constexpr std::size_t kSecret = 32;

std::string tag_of(std::string_view key, std::string_view env, const sdk::Uuid& project_id,
                   TokenKind kind, std::string_view selector, std::string_view secret) {
  crypto_generichash_state state;
  std::array<unsigned char, 32> digest;
  crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size(),
                          digest.size());
  // env and kind hold letters only, so a NUL after each keeps the fields apart.
  for (const std::string_view part : {env, std::string_view("\0", 1), project_id.bytes(),
                                      text_of(kind), std::string_view("\0", 1), selector, secret}) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                              part.size());
  }
  crypto_generichash_final(&state, digest.data(), digest.size());
  sdk::zero(&state, sizeof state);
  return {reinterpret_cast<const char*>(digest.data()), kTag};
}

sdk::Error malformed() {
  return {sdk::Code::invalid_argument, "bootstrap_token_invalid",
          "\"bootstrap_token\" is not of the form psb_<env>_<project>_<kind>_<random>."};
}

sdk::Error unknown() {
  return {sdk::Code::permission_denied, "token_invalid",
          "The bootstrap token is not one that this control plane has issued."};
}

}  // namespace

MintedToken TokenCodec::mint(std::string_view env, const sdk::Uuid& project_id,
                             TokenKind kind) const {
  std::string random(kSelector + kTag + kSecret, '\0');
  sdk::random_bytes(random.data(), random.size());
  const std::string_view view(random);
  const std::string selector(view.substr(0, kSelector));
  const std::string tag =
      tag_of(current_.bytes(), env, project_id, kind, selector, view.substr(kSelector + kTag));
  random.replace(kSelector, kTag, tag);

  std::string encoded = sdk::base32_encode(random);
  std::string text;
  text.reserve(256);  // no reallocation that would leave a copy behind
  text.append("psb_").append(env).append("_").append(sdk::base32_encode(project_id.bytes()));
  text.append("_").append(text_of(kind)).append("_").append(encoded);
  sdk::zero(random);
  sdk::zero(encoded);
  return {SecretText(std::move(text)), selector};
}

sdk::Result<PresentedToken> TokenCodec::open(std::string_view plaintext) const {
  const auto text = parse_token_text(plaintext);
  const auto project = text ? sdk::base32_decode(text->project) : std::nullopt;
  const auto project_id = project ? sdk::Uuid::from_bytes(*project) : std::nullopt;
  if (!project_id) {
    return malformed();
  }
  auto random = sdk::base32_decode(text->random);
  if (!random || random->size() != kSelector + kTag + kSecret) {
    return unknown();
  }
  const std::string_view view(*random);
  const std::string_view selector = view.substr(0, kSelector);
  const auto made_with = [&](const sdk::Secret& key) {
    return sdk::constant_time_equal(view.substr(kSelector, kTag),
                                    tag_of(key.bytes(), text->env, *project_id, text->kind,
                                           selector, view.substr(kSelector + kTag)));
  };
  const bool by_current = made_with(current_) || (next_ && made_with(*next_));
  const bool by_previous = !by_current && previous_ && made_with(*previous_);
  PresentedToken out{*project_id, text->kind, std::string(selector), by_previous};
  sdk::zero(*random);
  if (!by_current && !by_previous) {
    return unknown();
  }
  return out;
}

}  // namespace plexsphere::identity
