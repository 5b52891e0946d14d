#include "store/journal_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "app/sha256.hpp"

namespace plexsphere::signing {
namespace {

constexpr std::string_view kSuffix = ".journal";
constexpr std::size_t kNameDigits = 20;

bool is_segment(std::string_view name) {
  return name.size() == kNameDigits + kSuffix.size() && name.ends_with(kSuffix) &&
         name.find_first_not_of("0123456789") == kNameDigits;
}

// One segment's lines in turn, against what they must continue.
class Walk {
 public:
  Walk(std::string path, std::string_view bytes, JournalEnd& end, const JournalVisitor& visit)
      : path_(std::move(path)), bytes_(bytes), end_(end), visit_(visit) {}

  // `last`: only the newest segment may end in a torn record.
  Outcome<Done> run(bool last) {
    if (const auto header = take_line(); !header) {
      return damage("the header has no end");
    } else if (const Outcome<Done> good = begin(*header); !good.ok()) {
      return good;
    }
    while (const auto line = take_line()) {
      if (const Outcome<Done> good = step(*line); !good.ok()) {
        return good;
      }
    }
    end_.intact = at_;
    end_.torn = bytes_.size() - at_;
    ++line_;
    line_at_ = at_;
    if (end_.torn > 0 && (!last || !is_torn_line(bytes_.substr(at_)))) {
      return damage("the record has no end");
    }
    return Done{};
  }

 private:
  std::optional<std::string_view> take_line() {
    const std::size_t newline = bytes_.find('\n', at_);
    if (newline == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view line = bytes_.substr(at_, newline - at_);
    ++line_;
    line_at_ = at_;
    at_ = newline + 1;
    return line;
  }

  Outcome<Done> begin(std::string_view line) {
    const auto header = parse_journal_header(line);
    if (!header || hex_of(sha256(header->text)) != header->check) {
      return damage("this is no header of a journal, or it was changed");
    }
    if (end_.segments == 0) {
      end_.instance = header->instance;
      end_.first_seq = header->first_seq;
      end_.seq = header->first_seq - 1;
      end_.head = hash_of(header->previous);
      if (end_.seq == 0 && end_.head != Sha256{}) {
        return damage("a journal's first segment continues nothing");
      }
    }
    if (header->instance != end_.instance) {
      return damage("the segment belongs to another journal, " + std::string(header->instance));
    }
    if (header->first_seq != end_.seq + 1) {
      return damage("the segment begins at sequence " + std::to_string(header->first_seq) +
                    " and the one before ends at " + std::to_string(end_.seq));
    }
    if (header->previous != hex_of(end_.head)) {
      return damage("the segment does not continue the one before");
    }
    ++end_.segments;
    return Done{};
  }

  Outcome<Done> step(std::string_view text) {
    const auto line = parse_journal_line(text);
    if (!line) {
      return damage("this is no record");
    }
    if (line->instance != end_.instance) {
      return damage("the record belongs to another journal, " + std::string(line->instance));
    }
    if (line->seq != end_.seq + 1) {
      return damage("sequence " + std::to_string(line->seq) + " follows " +
                    std::to_string(end_.seq));
    }
    if (line->previous != hex_of(end_.head)) {
      return damage("the record does not continue the one before");
    }
    const Sha256 hash = next_hash(end_.head, line->text);
    if (line->hash != hex_of(hash)) {
      return damage("the record was changed: it does not have its hash");
    }
    end_.seq = line->seq;
    end_.head = hash;
    if (visit_) {
      visit_(*line);
    }
    return Done{};
  }

  [[nodiscard]] Fault damage(const std::string& what) const {
    return {FaultKind::kInternal, path_ + ": damaged at line " + std::to_string(line_) + ", byte " +
                                      std::to_string(line_at_) + ": " + what};
  }

  const std::string path_;
  const std::string_view bytes_;
  JournalEnd& end_;
  const JournalVisitor& visit_;
  std::size_t at_ = 0;       // of the next line
  std::size_t line_at_ = 0;  // of the present one
  std::size_t line_ = 0;
};

Outcome<Done> read_into(const Directory& directory, const std::string& name, bool last,
                        JournalEnd& end, const JournalVisitor& visit) {
  const std::string path = directory.path + "/" + name;
  const auto bytes = read_file(directory, name, kMaxSegmentBytes + 1);
  if (!bytes.ok()) {
    return Fault{FaultKind::kJournalUnavailable, bytes.fault().cause};
  }
  if (!bytes.value()) {
    return Fault{FaultKind::kJournalUnavailable, path + ": there is no such file"};
  }
  if (bytes.value()->size() > kMaxSegmentBytes) {
    return Fault{FaultKind::kInternal, path + ": larger than any segment of a journal"};
  }
  if (const Outcome<Done> good = Walk(path, *bytes.value(), end, visit).run(last); !good.ok()) {
    return good;
  }
  end.last_segment = name;
  return Done{};
}

Outcome<std::vector<std::string>> segments_of(const Directory& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto at = std::filesystem::directory_iterator(directory.path, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (const std::string name = at->path().filename().string(); is_segment(name)) {
      names.push_back(name);
    }
  }
  if (error) {
    return Fault{FaultKind::kJournalUnavailable,
                 directory.path + ": cannot be read: " + error.message()};
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string segment_name(std::uint64_t first_seq) {
  const std::string digits = std::to_string(first_seq);
  return std::string(kNameDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

Outcome<JournalEnd> read_journal(const Directory& directory, const JournalVisitor& visit) {
  const auto names = segments_of(directory);
  if (!names.ok()) {
    return names.fault();
  }
  JournalEnd end;
  for (const std::string& name : names.value()) {
    const bool last = name == names.value().back();
    if (const Outcome<Done> good = read_into(directory, name, last, end, visit); !good.ok()) {
      return good.fault();
    }
  }
  if (!names.value().empty() && names.value().front() != segment_name(end.first_seq)) {
    return Fault{FaultKind::kInternal, directory.path + "/" + names.value().front() +
                                           ": holds the segment that belongs into " +
                                           segment_name(end.first_seq)};
  }
  return end;
}

Outcome<JournalEnd> read_segment(const Directory& directory, const std::string& name,
                                 const JournalVisitor& visit) {
  JournalEnd end;
  if (const Outcome<Done> good = read_into(directory, name, true, end, visit); !good.ok()) {
    return good.fault();
  }
  return end;
}

}  // namespace plexsphere::signing
