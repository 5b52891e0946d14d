#include "tamper/export_copy.hpp"

#include <fstream>

#include "host/apps/plexctl/tests/running.hpp"
#include "support/process.hpp"

namespace plexsphere::tamper {
namespace {

void write_lines(const std::filesystem::path& file, const Lines& lines) {
  std::ofstream out(file);
  for (const std::string& line : lines) {
    out << line << '\n';
  }
}

}  // namespace

Lines lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  Lines out;
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

ExportCopy::ExportCopy(const Origin& origin)
    : chain(lines_of(origin.exported() / "chain.json")),
      checkpoints(lines_of(origin.exported() / "checkpoints.jsonl")),
      entries(lines_of(origin.exported() / "entries.jsonl")),
      key_(origin.key()) {}

void ExportCopy::write() const {
  write_lines(files_.path() / "chain.json", chain);
  write_lines(files_.path() / "checkpoints.jsonl", checkpoints);
  write_lines(files_.path() / "entries.jsonl", entries);
}

Outcome ExportCopy::verify(const Lines& notes) const {
  write();
  std::vector<std::string> arguments{"audit", "verify", files_.path().string(), "--key", key_};
  for (std::size_t i = 0; i < notes.size(); ++i) {
    arguments.emplace_back("--earlier");
    arguments.push_back(files_.write("note" + std::to_string(i), notes[i]).string());
  }
  const auto run = plexctl::plexctl(arguments);
  const std::string told = run.code == 0 ? run.out : run.err;
  const std::string name = "plexctl: ";
  return {run.code, told.starts_with(name) ? told.substr(name.size()) : told};
}

int ExportCopy::exit_code() const {
  write();
  return test_support::run(PLEXSPHERE_PLEXCTL,
                           {"audit", "verify", files_.path().string(), "--key", key_})
      .code;
}

}  // namespace plexsphere::tamper
