// A copy of the export, for somebody to change, and its verification by plexctl.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"
#include "tamper/origin.hpp"

namespace plexsphere::tamper {

using Lines = std::vector<std::string>;  // without their ends

// The lines of a file of an export.
Lines lines_of(const std::filesystem::path& file);

// How `plexctl audit verify` ends: its exit code, and what it says without the program's name.
struct Outcome {
  int code = 0;
  std::string text;
};

class ExportCopy {
 public:
  explicit ExportCopy(const Origin& origin);

  // The files as they are in this copy.
  Lines chain, checkpoints, entries;

  // What an auditor is told who trusts the signer's key, and has kept these notes from before.
  Outcome verify(const Lines& notes = {}) const;
  // The same from the program itself.
  int exit_code() const;

 private:
  void write() const;

  test_support::TempDir files_;
  std::string key_;
};

}  // namespace plexsphere::tamper
