// plexsphere-signer-journal: reads a signer's journal away from the signer, checks all of it, and
// compares it with the places that audit rows account for. And tells the public keys of a signer.
//
// Thread safety: one call at a time per stream. Not a part of the plugin: it links the reader only,
// neither keys nor gRPC.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace plexsphere::signing::journal_tool {

enum ExitCode {
  kIntact = 0,       // and, with --account, every record is accounted for
  kDamaged = 1,      // standard error says where
  kUnusable = 2,     // wrong arguments, or a file cannot be read
  kUnaccounted = 3,  // intact, but the audit rows say something else
};

// What the program does with its arguments (without its name). `in` stands for "--account -".
int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
        std::ostream& err);

}  // namespace plexsphere::signing::journal_tool
