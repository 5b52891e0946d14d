// What is done to an export by who can write its files and has no signer, and what it is called.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tamper/export_copy.hpp"

namespace plexsphere::tamper {

struct ExportAttack {
  std::string name;
  std::function<void(ExportCopy&)> change;
  Outcome outcome;  // its text: the beginning of what plexctl says
};

std::vector<ExportAttack> export_attacks(const Origin& origin);

// Makes it the export that was made when there were so many checkpoints: it holds, and only who has
// kept a later note can know.
void roll_back(ExportCopy& copy, std::size_t checkpoints);
// The note of a line of checkpoints.jsonl.
std::string note_of(const std::string& line);

}  // namespace plexsphere::tamper
