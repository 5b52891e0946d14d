// tamper ROUNDS: turns every bit of the audit chain that tests/tamper makes, one at a time, and
// asks the verifiers; the short form of it is tests/tamper/bits_test.cpp.
//
// Prints one JSON line; fails when a bit was not found where it is, naming the first of them.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "tamper/bits.hpp"

namespace plexsphere::tamper {
namespace {

constexpr std::int64_t kSlice = 100;  // entries between two words of how far it is

Tally turn_everything(Site& site, int rounds) {
  Tally all;
  for (std::int64_t first = 1; first <= Origin::kEntries; first += kSlice) {
    all.add(turn_stored(site, first, first + kSlice - 1));
    std::cerr << "tamper: entries to " << first + kSlice - 1 << " of the chain\n";
  }
  all.add(turn_head(site));
  for (const std::int64_t size : site.checkpoints()) {
    all.add(turn_checkpoint(site, size));
  }
  std::cerr << "tamper: head and checkpoints\n";
  all.add(turn_exported(site.origin(), 1, static_cast<std::size_t>(site.checkpoints().back())));
  all.add(turn_exported_notes(site.origin()));
  all.add(turn_exported_about(site.origin()));
  std::cerr << "tamper: the export\n";
  for (int round = 1; round <= rounds; ++round) {
    all.add(turn_one_of_each(site, static_cast<unsigned>(round)));
    std::cerr << "tamper: round " << round << " of " << rounds << " in the database\n";
  }
  return all;
}

int run_command(int argc, char** argv) {
  const int rounds = argc == 2 ? std::atoi(argv[1]) : 0;
  if (rounds < 1) {
    std::cerr << "usage: tamper ROUNDS\n";
    return 2;
  }
  const Tally all = turn_everything(site(), rounds);
  for (const std::string& missed : all.told) {
    std::cerr << "tamper: " << missed << "\n";
  }
  std::printf(R"({"name":"tamper","entries":%d,"rounds":%d,"bits":%llu,"missed":%llu})"
              "\n",
              Origin::kEntries, rounds, static_cast<unsigned long long>(all.turned),
              static_cast<unsigned long long>(all.missed));
  return all.missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace plexsphere::tamper

int main(int argc, char** argv) {
  try {
    return plexsphere::tamper::run_command(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "tamper: " << error.what() << std::endl;
    return 1;
  }
}
