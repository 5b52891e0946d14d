// The keys under which a signer signs checkpoints, as auditors hold notes against them.
#pragma once

#include <ostream>
#include <string>

namespace plexsphere::signing::journal_tool {

// Reads the key sets of the state directory at `path`, retired keys too, and writes a line a key to
// `out`, scopes in the order of their names, keys as they were made:
//
//   <verifier key as C2SP signed-note writes it> <active|rotating|retired> <since, RFC 3339 UTC>
//
// Nothing is written unless all of them can be read. False: `err` names file and reason; a
// directory without a key set is one.
bool list_keys(const std::string& path, std::ostream& out, std::ostream& err);

}  // namespace plexsphere::signing::journal_tool
