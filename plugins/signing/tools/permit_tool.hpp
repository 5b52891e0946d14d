// plexsphere-signer-permit: the signer's operator permits one restore statement, word for word.
//
// Thread safety: one call at a time per state directory. Not a part of the plugin: it links the
// reading of statements only, neither keys nor gRPC, and needs no running signer.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace plexsphere::signing::permit_tool {

enum ExitCode {
  kPermitted = 0,
  kRefused = 1,   // no restore statement, or the permit could not be written
  kUnusable = 2,  // wrong arguments
};

// What the program does with its arguments (without its name); `in` is the statement.
int run(const std::vector<std::string>& arguments, std::istream& in, std::ostream& out,
        std::ostream& err);

}  // namespace plexsphere::signing::permit_tool
