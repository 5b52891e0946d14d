#include "journal_tool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "app/sha256.hpp"
#include "key_list.hpp"
#include "store/journal_reader.hpp"

namespace plexsphere::signing::journal_tool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUsage =
    "usage: plexsphere-signer-journal verify PATH [--account FILE]\n"
    "       plexsphere-signer-journal keys STATE_DIRECTORY\n"
    "  PATH     a signer's state directory, its journal directory, or one segment\n"
    "  FILE     places that audit rows name, one a line: journal:<instance>:<seq>:<head>; - reads\n"
    "           standard input\n"
    "keys: those that checkpoints are signed under, as plexctl audit verify --key takes them\n"
    "exit: 0 intact, 1 damaged, 2 cannot be read, 3 intact but not as the audit rows say\n";

struct Arguments {
  std::string path;
  std::string account;  // empty: none
};

std::optional<Arguments> parse(const std::vector<std::string>& words) {
  const bool account = words.size() == 4 && words[2] == "--account" && !words[3].empty();
  if ((words.size() != 2 && !account) || words[0] != "verify" || words[1].empty()) {
    return std::nullopt;
  }
  return Arguments{words[1], account ? words[3] : ""};
}

// Places of audit rows, by sequence. Two heads for one place mean that a journal was set back.
class Account {
 public:
  // False for a line that is neither a place nor another step of such a row.
  bool add(std::string_view line) {
    if (line.empty() || line.starts_with("unanswered:") || line.starts_with("refused:")) {
      return true;
    }
    constexpr std::string_view prefix = "journal:";
    constexpr std::size_t instance_end = prefix.size() + kInstanceHexDigits;
    const std::size_t seq_end = line.rfind(':');
    if (!line.starts_with(prefix) || line.size() <= instance_end + 1 || line[instance_end] != ':' ||
        seq_end <= instance_end || line.size() - seq_end - 1 != kHashHexDigits) {
      return false;
    }
    std::uint64_t seq = 0;
    const char* end = line.data() + seq_end;
    const auto [stop, error] = std::from_chars(line.data() + instance_end + 1, end, seq);
    if (error != std::errc() || stop != end) {
      return false;
    }
    places_[std::string(line.substr(prefix.size(), kInstanceHexDigits))][seq].emplace(
        line.substr(seq_end + 1));
    return true;
  }

  // Compares one record; lines of differences go to `out`.
  void compare(const JournalLine& line, std::ostream& out) {
    const auto journal = places_.find(std::string(line.instance));
    const auto place = journal == places_.end() ? std::map<std::uint64_t, Heads>::iterator()
                                                : journal->second.find(line.seq);
    if (journal == places_.end() || place == journal->second.end()) {
      ++differences_;
      out << "unaccounted " << line.text << '\n';
      return;
    }
    for (const std::string& head : place->second) {
      if (head != line.hash) {
        ++differences_;
        out << "contradicted " << line.seq << " rows say " << head << " and the journal "
            << line.hash << '\n';
      }
    }
  }

  // What rows know beyond the end of the journal, and what cannot be compared.
  void finish(const JournalEnd& end, std::ostream& out) {
    for (const auto& [instance, places] : places_) {
      if (instance != end.instance) {
        out << "other journal " << instance << " has " << places.size() << " places\n";
        continue;
      }
      for (const auto& [seq, heads] : places) {
        if (seq > end.seq) {
          ++differences_;
          out << "missing " << seq << " is in a row and the journal ends at " << end.seq << '\n';
        }
      }
    }
  }

  [[nodiscard]] std::uint64_t differences() const { return differences_; }

 private:
  using Heads = std::set<std::string>;
  std::map<std::string, std::map<std::uint64_t, Heads>> places_;
  std::uint64_t differences_ = 0;
};

std::optional<Account> read_account(const std::string& path, std::istream& in, std::ostream& err) {
  std::ifstream file;
  if (path != "-") {
    file.open(path);
    if (!file) {
      err << path << ": cannot be opened\n";
      return std::nullopt;
    }
  }
  std::istream& source = path == "-" ? in : file;
  Account account;
  std::uint64_t number = 0;
  for (std::string line; std::getline(source, line);) {
    ++number;
    if (!account.add(line)) {
      err << path << ": line " << number << " is no place of a journal\n";
      return std::nullopt;
    }
  }
  return account;
}

Outcome<JournalEnd> read(const std::string& path, const JournalVisitor& visit) {
  std::error_code ignored;
  const bool segment = fs::is_regular_file(path, ignored);
  fs::path directory = segment ? fs::path(path).parent_path() : fs::path(path);
  if (!segment && fs::is_directory(directory / "journal", ignored)) {
    directory /= "journal";
  }
  if (directory.empty()) {
    directory = ".";
  }
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return Fault{FaultKind::kJournalUnavailable, broken(path, "cannot be opened").cause};
  }
  const Directory where{fd, directory.string()};
  Outcome<JournalEnd> end = segment ? read_segment(where, fs::path(path).filename().string(), visit)
                                    : read_journal(where, visit);
  close(fd);
  if (end.ok() && end.value().segments == 0) {
    return Fault{FaultKind::kJournalUnavailable,
                 directory.string() + ": holds no segment of a journal"};
  }
  return end;
}

void print(const JournalEnd& end, std::ostream& out) {
  out << "instance " << end.instance << "\nfirst " << end.first_seq << "\nlast " << end.seq
      << "\nentries " << end.seq + 1 - end.first_seq << "\nsegments " << end.segments << "\nhead "
      << hex_of(end.head) << '\n';
  if (end.torn > 0) {
    out << "torn " << end.torn << " bytes after byte " << end.intact << " of " << end.last_segment
        << ": a record that was being written, or that a crash cut short\n";
  }
}

}  // namespace

int run(const std::vector<std::string>& words, std::istream& in, std::ostream& out,
        std::ostream& err) {
  if (words.size() == 1 && words[0] == "--help") {
    out << kUsage;
    return kIntact;
  }
  if (words.size() == 2 && words[0] == "keys" && !words[1].empty()) {
    return list_keys(words[1], out, err) ? kIntact : kUnusable;
  }
  const auto arguments = parse(words);
  if (!arguments) {
    err << kUsage;
    return kUnusable;
  }
  std::optional<Account> account;
  if (!arguments->account.empty() &&
      !(account = read_account(arguments->account, in, err)).has_value()) {
    return kUnusable;
  }
  const Outcome<JournalEnd> end = read(arguments->path, [&](const JournalLine& line) {
    if (account) {
      account->compare(line, out);
    }
  });
  if (!end.ok()) {
    err << end.fault().cause << '\n';
    return end.fault().kind == FaultKind::kJournalUnavailable ? kUnusable : kDamaged;
  }
  if (account) {
    account->finish(end.value(), out);
  }
  print(end.value(), out);
  return account && account->differences() > 0 ? kUnaccounted : kIntact;
}

}  // namespace plexsphere::signing::journal_tool
