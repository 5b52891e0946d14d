#include "host/loader/elf_file.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "plexsphere/abi/plugin.h"

namespace plexsphere::host::loader {
namespace {

constexpr std::uint64_t kLargestPart = 64ULL * 1024 * 1024;  // of any one table read

Status malformed(const std::string& what) {
  return {Code::kInvalidArgument, "the file is no well-formed ELF-64 shared object: " + what};
}

class Reader {
 public:
  Reader(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  bool read(std::uint64_t offset, std::uint64_t length, void* out) const {
    if (length > size_ || offset > size_ - length) {
      return false;
    }
    std::uint64_t done = 0;
    while (done < length) {
      const ssize_t got = ::pread(descriptor_, static_cast<char*>(out) + done, length - done,
                                  static_cast<off_t>(offset + done));
      if (got <= 0) {
        return false;
      }
      done += static_cast<std::uint64_t>(got);
    }
    return true;
  }

  template <typename T>
  bool read_all(std::uint64_t offset, std::uint64_t bytes, std::vector<T>& out) const {
    if (bytes > kLargestPart || bytes % sizeof(T) != 0) {
      return false;
    }
    out.resize(bytes / sizeof(T));
    return bytes == 0 || read(offset, bytes, out.data());
  }

 private:
  int descriptor_;
  std::uint64_t size_;
};

// A zero-terminated name inside a string table; empty when it runs out of it.
std::string_view name_at(const std::vector<char>& table, std::uint64_t offset) {
  if (offset >= table.size()) {
    return {};
  }
  const std::size_t longest = table.size() - offset;
  const std::size_t length = ::strnlen(table.data() + offset, longest);
  return length == longest ? std::string_view() : std::string_view(table.data() + offset, length);
}

std::string fixed_text(const char* from, std::size_t size) {
  return std::string(from, ::strnlen(from, size));
}

std::optional<PluginNote> parse_note(const std::vector<char>& bytes) {
  px_note note{};
  if (bytes.size() < sizeof(note)) {
    return std::nullopt;
  }
  std::memcpy(&note, bytes.data(), sizeof(note));
  const std::size_t described = sizeof(note) - offsetof(px_note, abi_major);
  if (note.name_size != sizeof(PX_NOTE_OWNER) || note.type != PX_NOTE_TYPE ||
      note.desc_size < described || std::memcmp(note.name, PX_NOTE_OWNER, note.name_size) != 0) {
    return std::nullopt;
  }
  return PluginNote{note.abi_major, note.abi_minor, fixed_text(note.id, sizeof(note.id)),
                    fixed_text(note.version, sizeof(note.version))};
}

bool is_exported(const Elf64_Sym& symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF &&
         (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

Status read_exports(const Reader& reader, const std::vector<Elf64_Shdr>& sections,
                    const Elf64_Shdr& table, ElfFacts& facts) {
  std::vector<Elf64_Sym> symbols;
  std::vector<char> names;
  if (table.sh_link >= sections.size() ||
      !reader.read_all(table.sh_offset, table.sh_size, symbols) ||
      !reader.read_all(sections[table.sh_link].sh_offset, sections[table.sh_link].sh_size, names)) {
    return malformed("its dynamic symbols lie outside the file");
  }
  for (const auto& symbol : symbols) {
    if (is_exported(symbol)) {
      facts.exports.emplace_back(name_at(names, symbol.st_name));
    }
  }
  return {};
}

}  // namespace

Result<ElfFacts> read_elf(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || info.st_size <= 0) {
    return malformed("it is empty or unreadable");
  }
  const Reader reader(descriptor, static_cast<std::uint64_t>(info.st_size));
  Elf64_Ehdr header{};
  if (!reader.read(0, sizeof(header), &header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return malformed("wrong magic, class, byte order or type");
  }
  std::vector<Elf64_Shdr> sections;
  if (header.e_shentsize != sizeof(Elf64_Shdr) ||
      !reader.read_all(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr),
                       sections) ||
      header.e_shstrndx >= sections.size()) {
    return malformed("it has no readable section table");
  }
  std::vector<char> names;
  if (!reader.read_all(sections[header.e_shstrndx].sh_offset, sections[header.e_shstrndx].sh_size,
                       names)) {
    return malformed("its section names lie outside the file");
  }
  ElfFacts facts;
  for (const auto& section : sections) {
    if (section.sh_type == SHT_DYNSYM) {
      if (auto status = read_exports(reader, sections, section, facts); !status) {
        return status;
      }
    } else if (name_at(names, section.sh_name) == PX_NOTE_SECTION) {
      std::vector<char> bytes;
      if (!reader.read_all(section.sh_offset, section.sh_size, bytes)) {
        return malformed("its note lies outside the file");
      }
      facts.note = parse_note(bytes);
    }
  }
  return facts;
}

}  // namespace plexsphere::host::loader
