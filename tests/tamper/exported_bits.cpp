#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/apps/plexctl/audit_agreement.hpp"
#include "host/apps/plexctl/audit_check.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/entry_reader.hpp"
#include "host/apps/plexctl/failure.hpp"
#include "tamper/bits.hpp"
#include "tamper/export_copy.hpp"

namespace plexsphere::tamper {
namespace {

using plexctl::ChainCheck;
using plexctl::ExitCode;
using plexctl::Failure;
using plexctl::Json;

std::string turned(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << bit % 8));
  return bytes;
}

// A line of an export, if it is one.
Json parsed(const std::string& line) {
  return Json::parse(line, nullptr, false);
}

ChainCheck check_of(const Origin& origin, const ExportCopy& copy) {
  ChainCheck check(parsed(copy.chain[0]).at("origin").get<std::string>(),
                   {*sdk::parse_verifier_key(&plexctl::sha256, origin.key())});
  for (const std::string& line : copy.checkpoints) {
    check.checkpoint(parsed(line).at("note").get<std::string>());
  }
  return check;
}

bool is_finding(ExitCode code) {
  return code == ExitCode::tampered || code == ExitCode::incomplete;
}

// "found" for whatever is not taken for what it was.
template <typename Look>
std::string outcome(Look look) {
  try {
    look();
    return "taken";
  } catch (const Failure& failure) {
    return is_finding(failure.code()) ? "found" : failure.what();
  }
}

}  // namespace

Tally turn_exported(const Origin& origin, std::size_t first, std::size_t last) {
  const ExportCopy copy(origin);
  ChainCheck check = check_of(origin, copy);
  Tally tally;
  for (std::size_t seq = 1; seq <= last; ++seq) {
    const std::string& line = copy.entries[seq - 1];
    for (std::size_t bit = 0; seq >= first && bit < 8 * line.size(); ++bit) {
      tally.add("bit " + std::to_string(bit) + " of entry " + std::to_string(seq), "found",
                outcome([&] {
                  const auto entry = plexctl::entry_of_line(turned(line, bit));
                  if (!entry) {
                    throw plexctl::not_of_an_export(seq, "entries.jsonl");
                  }
                  ChainCheck here = check;  // as it stands before the entry
                  here.entry(*entry);
                }));
    }
    check.entry(plexctl::entry_of_line(line).value());
  }
  return tally;
}

Tally turn_exported_notes(const Origin& origin) {
  const ExportCopy copy(origin);
  Tally tally;
  for (std::size_t number = 0; number < copy.checkpoints.size(); ++number) {
    const std::string& line = copy.checkpoints[number];
    for (std::size_t bit = 0; bit < 8 * line.size(); ++bit) {
      tally.add("bit " + std::to_string(bit) + " of checkpoint " + std::to_string(number + 1),
                "found", outcome([&] {
                  const Json json = parsed(turned(line, bit));
                  if (!json.is_object()) {
                    throw plexctl::not_of_an_export(number + 1, "checkpoints.jsonl");
                  }
                  ChainCheck check(parsed(copy.chain[0]).at("origin").get<std::string>(),
                                   {*sdk::parse_verifier_key(&plexctl::sha256, origin.key())});
                  check.checkpoint(plexctl::text_at(json, "note"));
                  plexctl::ExportAgreement(0).checkpoint(json);
                }));
    }
  }
  return tally;
}

// By plexctl's own reading of the whole export: its other files are read only where a bit leaves
// the origin as it was.
Tally turn_exported_about(const Origin& origin) {
  ExportCopy copy(origin);
  const std::string line = copy.chain[0];
  Tally tally;
  for (std::size_t bit = 0; bit < 8 * line.size(); ++bit) {
    copy.chain[0] = turned(line, bit);
    const Outcome outcome = copy.verify();
    tally.add("bit " + std::to_string(bit) + " of chain.json", "found",
              is_finding(static_cast<ExitCode>(outcome.code)) ? "found" : outcome.text);
  }
  return tally;
}

}  // namespace plexsphere::tamper
