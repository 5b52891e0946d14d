#include "app/last_use.hpp"

#include <catch2/catch.hpp>

#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace plexsphere::identity;
using namespace std::chrono_literals;

namespace {

const sdk::Instant kNow{1'800'000'000s};

struct Written {
  std::mutex mutex;
  std::vector<TokenUse> uses;
  LastUse::Write write() {
    return [this](std::span<const TokenUse> batch) {
      const std::lock_guard lock(mutex);
      uses.insert(uses.end(), batch.begin(), batch.end());
      return sdk::Status{};
    };
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return uses.size();
  }
};

sdk::Uuid id(int n) {
  return *sdk::Uuid::from_bytes("token-0123456-" + std::to_string(10 + n));
}

}  // namespace

TEST_CASE("many uses within a minute are one write", "[identity]") {
  Written written;
  LastUse uses(written.write(), {});
  for (int i = 0; i < 1000; ++i) {
    uses.note(id(1), kNow + std::chrono::milliseconds(i), std::nullopt);
  }
  uses.flush();
  REQUIRE(written.uses.size() == 1);
  CHECK(written.uses[0].at == kNow + 999ms);
  uses.note(id(1), kNow + 59s, kNow);
  uses.note(id(2), kNow + 60s, kNow);
  uses.flush();
  REQUIRE(written.uses.size() == 2);
  CHECK(written.uses[1].token_id == id(2));
  uses.flush();
  CHECK(written.uses.size() == 2);
}

TEST_CASE("what is remembered is bounded", "[identity]") {
  Written written;
  LastUse uses(written.write(), {});
  for (std::size_t i = 0; i < LastUse::kCapacity + 10; ++i) {
    uses.note(sdk::Uuid::v7(static_cast<std::int64_t>(i)), kNow, std::nullopt);
  }
  uses.flush();
  CHECK(written.uses.size() == LastUse::kCapacity);
}

TEST_CASE("uses are written while it runs, and the last when it stops", "[identity]") {
  Written written;
  LastUse uses(written.write(), {});
  uses.start();
  uses.note(id(1), kNow, std::nullopt);
  CHECK(test_support::wait_until(10s, [&] { return written.count() == 1; }));
  uses.note(id(2), kNow, std::nullopt);
  uses.stop();
  CHECK(written.count() == 2);
  uses.stop();
}
