#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// What the kernel keeps of the mapping that begins at `memory`: its VmFlags of /proc/self/smaps.
std::string flags_of(const void* memory) {
  std::ostringstream start;
  start << std::hex << reinterpret_cast<std::uintptr_t>(memory) << '-';
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    inside = inside || line.starts_with(start.str());
    if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

// A mapping of the test's own, with inaccessible pages around: the kernel would join it with
// others.
class Mapping {
 public:
  Mapping(std::size_t size, int flags) : size_(size) {
    room_ = ::mmap(nullptr, size + 2 * kMiB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(room_ != MAP_FAILED);
    memory_ = ::mmap(static_cast<char*>(room_) + kMiB, size, PROT_READ | PROT_WRITE,
                     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    REQUIRE(memory_ != MAP_FAILED);
  }
  ~Mapping() { ::munmap(room_, size_ + 2 * kMiB); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  bool huge() const { return flags_of(memory_).find(" hg ") != std::string::npos; }
  char* bytes() const { return static_cast<char*>(memory_); }

 private:
  std::size_t size_;
  void* room_;
  void* memory_;
};

TEST_CASE("memory that is mapped to be used at once is advised huge", "[base]") {
  const bool known = std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled").good();
  const Mapping argon2id(19 * kMiB, MAP_POPULATE);
  CHECK(argon2id.huge() == known);
  argon2id.bytes()[0] = 1;
  argon2id.bytes()[19 * kMiB - 1] = 2;
  CHECK(argon2id.bytes()[19 * kMiB - 1] == 2);
}

TEST_CASE("other mappings are as they were asked for", "[base]") {
  CHECK_FALSE(Mapping(19 * kMiB, 0).huge());
  CHECK_FALSE(Mapping(kMiB, MAP_POPULATE).huge());
}

TEST_CASE("a mapping that cannot be made fails as ever", "[base]") {
  errno = 0;
  CHECK(::mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) ==
        MAP_FAILED);
  CHECK(errno == EINVAL);
  CHECK(::mmap(nullptr, std::size_t{1} << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
               -1, 0) == MAP_FAILED);
  CHECK(errno == ENOMEM);
}

}  // namespace
