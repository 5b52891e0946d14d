#include "store/secret_maker.hpp"

#include <array>

namespace plexsphere::mesh {
namespace {

// Zeroed when it goes, whichever way.
struct Plaintext {
  std::array<char, 32> bytes{};
  Plaintext() { sdk::random_bytes(bytes.data(), bytes.size()); }
  Plaintext(const Plaintext&) = delete;
  Plaintext& operator=(const Plaintext&) = delete;
  ~Plaintext() { sdk::zero(bytes.data(), bytes.size()); }
};

}  // namespace

sdk::Result<WrappedSecret> SecretMaker::make(const sdk::Uuid& domain_id,
                                             const sdk::Uuid& node_id) const {
  const auto kid = sdk::Uuid::v7(sdk::to_ms(clock_.now()));
  // Bound to Node and kid: a blob moved to another row does not open.
  const std::string bound = std::string("mesh-secret").append(node_id.bytes()).append(kid.bytes());
  const Plaintext plaintext;
  auto sealed = seal_.seal("domain:" + domain_id.text(), bound,
                           {plaintext.bytes.data(), plaintext.bytes.size()});
  if (!sealed.ok()) {
    return sealed.error();
  }
  return WrappedSecret{kid, std::move(*sealed)};
}

}  // namespace plexsphere::mesh
