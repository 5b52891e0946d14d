// Memory that this program's C++ gives back is zeroed, whoever gave it back: ours, a plugin's, a
// library's. So a key or a token that has gone through a string, a JSON value or a buffer does not
// stay behind in the heap for as long as nobody happens to reuse the place.
//
// Linked into a program, these replace the operators of the C++ runtime for every library it loads
// ([replacement.functions]); the forms that are not here end in one of these. What C gives back by
// free (libpq, OpenSSL) is not covered: OpenSSL clears its own keys and record buffers, and libpq
// is not given secrets in clear.
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void wipe_and_free(void* memory) noexcept {
  if (memory != nullptr) {
    ::explicit_bzero(memory, ::malloc_usable_size(memory));
    std::free(memory);
  }
}

}  // namespace

void operator delete(void* memory) noexcept {
  wipe_and_free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  wipe_and_free(memory);
}

void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  wipe_and_free(memory);
}

void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  wipe_and_free(memory);
}
