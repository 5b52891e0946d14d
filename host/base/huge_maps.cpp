// Memory that is mapped to be used at once comes in huge pages where the kernel gives them on
// request (transparent_hugepage/enabled is `madvise`, as on many servers).
//
// For libsodium: each Argon2id hash maps and populates its 19 MiB anew, and by small pages that
// costs two thirds of what the hashing itself costs. It takes no allocator and gives no advice, so
// its call is answered here: linked into a program, this replaces mmap for every library it loads.
// Whatever is not anonymous, private, populated and at least a huge page goes to the kernel as it
// came; the allocator and the stacks of glibc do not call it by this name.
#undef _FILE_OFFSET_BITS  // some library's flags set it, and mmap below would be called mmap64
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr int kWanted = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;

void* map(void* at, std::size_t size, int access, int flags, int file, off_t offset) noexcept {
  // The kernel's answer is an address, or -1 with errno set: mmap's own convention.
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, size, access, flags, file, offset));
}

}  // namespace

void* mmap(void* at, std::size_t size, int access, int flags, int file, off_t offset) noexcept {
  if ((flags & kWanted) != kWanted || size < kHugePage) {
    return map(at, size, access, flags, file, offset);
  }
  // Populating comes after the advice, which comes after the mapping: the first touch of each page
  // does it.
  void* const memory = map(at, size, access, flags & ~MAP_POPULATE, file, offset);
  if (memory != MAP_FAILED) {
    (void)::madvise(memory, size, MADV_HUGEPAGE);  // a kernel without them refuses: then small ones
  }
  return memory;
}
