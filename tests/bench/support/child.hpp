// Processes of a benchmark's own: clients and servers that must not share a descriptor table, a
// heap or a thread with what is measured, and the memory through which they report.
//
// Not thread-safe. A Child owns its process and kills it by its id; a Shared owns its mapping.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

namespace plexsphere::bench {

// Raises the limit of open descriptors of this process, and so of those it starts, to `count` at
// least. Throws std::runtime_error when the machine does not allow that.
void need_descriptors(std::size_t count);

class Child {
 public:
  // Forks and runs `body`, then exits; an exception is printed and ends it with 1. The kernel kills
  // it with `ending` when the calling thread ends in whatever way, and so does the destructor.
  explicit Child(const std::function<void()>& body, int ending = 9);
  // Runs a program (a path) with standard output and error in `log`.
  Child(std::vector<std::string> command, const std::string& log, int ending = 9);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // Waits for a clean end; throws std::runtime_error when it fails or takes longer.
  void finish(std::chrono::milliseconds limit);

 private:
  pid_t pid_ = -1;
  int ending_;
  int status_ = 0;
};

namespace detail {
void* map_shared(std::size_t size);
void unmap_shared(void* at, std::size_t size) noexcept;
}  // namespace detail

// A T that this process and the children forked after it see alike. T holds std::atomic members and
// plain ones that are written before a child's end and read after it.
template <class T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  Shared() : value_(new (detail::map_shared(sizeof(T))) T) {}
  ~Shared() { detail::unmap_shared(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

}  // namespace plexsphere::bench
