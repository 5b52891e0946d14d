// The chain in the database: what is done to it there, who finds it, and under which number.
#include <catch2/catch.hpp>

#include "tamper/attacks.hpp"

namespace plexsphere::tamper {
namespace {

// Each attack on the chain as it was made, and taken back: then it holds again, also for who found
// it.
void carry_out(const std::vector<Attack>& attacks) {
  Site& chain = site();
  REQUIRE(chain.look() == Verdicts{});
  chain.read_anew();
  for (const Attack& attack : attacks) {
    INFO(attack.name);
    chain.attack(attack.sql);
    CHECK(chain.look() == attack.found);
    chain.undo();
    if (attack.found != Verdicts{}) {  // else what was read of it is as good as what is there
      CHECK(chain.holds());
    }
    chain.read_anew();
  }
}

}  // namespace

TEST_CASE("every column of an entry that is changed is found, with the entry",
          "[audit][pg][tamper]") {
  carry_out(column_attacks(site()));
}

TEST_CASE("entries moved, doubled, dropped or cut off are found where it begins",
          "[audit][pg][tamper]") {
  carry_out(order_attacks(site()));
}

TEST_CASE("a head that is not its chain's is found by whoever looks at the end",
          "[audit][pg][tamper]") {
  carry_out(head_attacks(site()));
}

TEST_CASE("a chain made to fit again is found by its checkpoints and by who has read it",
          "[audit][pg][tamper]") {
  carry_out(rewriting_attacks(site()));
}

TEST_CASE("checkpoints that are changed or gone are found, with their size",
          "[audit][pg][tamper]") {
  carry_out(checkpoint_attacks(site()));
}

TEST_CASE("what stands beside an entry and is not what it was made of is found",
          "[audit][pg][tamper]") {
  carry_out(sibling_attacks(site()));
}

}  // namespace plexsphere::tamper
