#include "permit_tool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "domain/restore_statement.hpp"
#include "domain/scope.hpp"
#include "store/file_io.hpp"

namespace plexsphere::signing::permit_tool {
namespace {

constexpr std::string_view kUsage =
    "usage: plexsphere-signer-permit STATE_DIRECTORY <STATEMENT\n"
    "  Permits the restore statement on standard input, once and word for word. Run it as the\n"
    "  signer's user, with what plexsphere-bootstrap audit declare-restored has printed.\n"
    "exit: 0 permitted, 1 refused, 2 wrong usage\n";

std::string read_all(std::istream& in) {
  std::string text(kMaxRestoreStatement + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

// The scope that the origin ends in.
Outcome<Scope> scope_of(std::string_view origin) {
  return Scope::parse(origin.substr(origin.rfind('/') + 1));
}

Outcome<Done> write_permit(const std::string& directory, const Scope& scope,
                           const std::string& text) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return broken(directory, "cannot be opened");
  }
  std::string name = scope.text() + ".restore";
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    name[colon] = '-';
  }
  Outcome<Done> written = replace_file({fd, directory}, name, text);
  close(fd);
  return written;
}

}  // namespace

int run(const std::vector<std::string>& words, std::istream& in, std::ostream& out,
        std::ostream& err) {
  if (words.size() == 1 && words[0] == "--help") {
    out << kUsage;
    return kPermitted;
  }
  if (words.size() != 1 || words[0].empty() || words[0].starts_with("-")) {
    err << kUsage;
    return kUnusable;
  }
  const std::string text = read_all(in);
  const Outcome<RestoreStatement> statement = check_restore(text);
  const Outcome<Scope> scope =
      statement.ok() ? scope_of(statement.value().origin) : Outcome<Scope>(statement.fault());
  const Outcome<Done> written =
      scope.ok() ? write_permit(words[0], scope.value(), text) : Outcome<Done>(scope.fault());
  if (!written.ok()) {
    err << "plexsphere-signer-permit: " << written.fault().cause << '\n';
    return kRefused;
  }
  const RestoreStatement& said = statement.value();
  out << "permitted: the log of " << scope.value().text() << " may go on from " << said.after.size
      << " entries instead of " << said.before.size << ", in epoch " << said.epoch
      << "\nreason: " << said.reason << '\n';
  return kPermitted;
}

}  // namespace plexsphere::signing::permit_tool
