// Holds the answers that sim::Api gets, in any test, against the document of the server that gave
// them, without the test asking for it.
//
// What keeps the document is entered in the ledger. What breaks it is noted in a file beside it,
// `<program>.violations`, for contract_coverage to fail with; the test itself goes on. An operation
// that the document does not have is passed over: tests ask for such on purpose. Thread-safe.
#pragma once

namespace plexsphere::contract {

// Begins to observe, once; only when ctest asks for it by PLEXSPHERE_CONTRACT_OBSERVE=1, so that
// benches and single runs by hand are left alone.
void observe_if_asked();

}  // namespace plexsphere::contract
