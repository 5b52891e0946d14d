#include "pg_template.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "process.hpp"

namespace plexsphere::test_support::detail {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Exclusive between processes, and between threads too: every Lock opens the file for itself.
class Lock {
 public:
  explicit Lock(const fs::path& file)
      : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (fd_ < 0 || ::flock(fd_, LOCK_EX) != 0) {
      fail("lock " + file.string());
    }
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

// A directory in /var/tmp with a name that can be guessed: it is used only when it is ours.
fs::path own_directory(uid_t owner, const std::optional<UserIds>& user) {
  const fs::path directory = "/var/tmp/plexsphere-pg-" + std::to_string(owner);
  if (::mkdir(directory.c_str(), 0700) == 0) {
    if (user && ::chown(directory.c_str(), user->user, user->group) != 0) {
      fail("chown " + directory.string());
    }
  } else if (errno != EEXIST) {
    fail("mkdir " + directory.string());
  }
  struct stat found {};
  if (::lstat(directory.c_str(), &found) != 0) {
    fail("lstat " + directory.string());
  }
  // Root may have made it an instant ago and not handed it over yet: root is trusted as well.
  if (!S_ISDIR(found.st_mode) || (found.st_uid != owner && found.st_uid != ::geteuid())) {
    throw std::runtime_error(directory.string() + " belongs to somebody else: remove it");
  }
  return directory;
}

void run_or_throw(const fs::path& program, std::vector<std::string> arguments,
                  const std::optional<UserIds>& user) {
  Process::Options options;
  options.user = user;
  options.directory = "/";
  options.environment = {{"LC_ALL", "C"}, {"HOME", "/nonexistent"}};
  const auto done = run(program, std::move(arguments), options);
  if (done.code != 0) {
    throw std::runtime_error(program.string() + " failed: " + done.out + done.err);
  }
}

void initialise(const fs::path& programs, const fs::path& target,
                const std::optional<UserIds>& user) {
  const fs::path unfinished = target.string() + ".unfinished";
  fs::remove_all(unfinished);
  run_or_throw(
      programs / "initdb",
      {"--pgdata=" + unfinished.string(), "--auth=trust", "--username=postgres", "--encoding=UTF8",
       "--no-locale", "--wal-segsize=4", "--no-sync", "--no-instructions"},
      user);
  fs::rename(unfinished, target);
}

}  // namespace

fs::path postgres_programs() {
  fs::path best;
  int best_major = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const int major = std::atoi(entry.path().filename().c_str());
    if (major > best_major && fs::exists(entry.path() / "bin" / "initdb")) {
      best_major = major;
      best = entry.path() / "bin";
    }
  }
  if (best.empty()) {
    throw std::runtime_error("no PostgreSQL server in /usr/lib/postgresql: install postgresql-15");
  }
  return best;
}

std::optional<UserIds> server_user() {
  if (::geteuid() != 0) {
    return std::nullopt;
  }
  for (const char* name : {"plexsphere-dev", "postgres"}) {
    if (const passwd* entry = ::getpwnam(name); entry != nullptr) {
      return UserIds{entry->pw_uid, entry->pw_gid};
    }
  }
  throw std::runtime_error(
      "PostgreSQL refuses root, and there is no user plexsphere-dev: run ./dev build");
}

void copy_template(const fs::path& target) {
  const auto user = server_user();
  const auto programs = postgres_programs();
  const auto base = own_directory(user ? user->user : ::geteuid(), user);
  const auto original = base / ("data-" + programs.parent_path().filename().string());
  {
    const Lock lock(base / "lock");
    if (!fs::exists(original)) {
      initialise(programs, original, user);
    }
  }
  // Renamed into place when complete and never written again, so copying needs no lock.
  run_or_throw("/bin/cp", {"-a", "--reflink=auto", original.string(), target.string()}, user);
}

}  // namespace plexsphere::test_support::detail
