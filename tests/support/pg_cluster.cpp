#include "pg_cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "pg_template.hpp"
#include "wait_until.hpp"

namespace plexsphere::test_support {
namespace {

constexpr std::chrono::seconds kStopLimit{30};
constexpr std::chrono::seconds kStartLimit{30};

bool port_is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_free =
      fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return is_free;
}

// A server keeps its port over a restart, so the port must not be one the kernel hands to outgoing
// connections meanwhile: those come from 32768 upward.
std::uint16_t choose_port() {
  std::random_device device;
  std::uniform_int_distribution<int> range(20000, 32000);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto port = static_cast<std::uint16_t>(range(device));
    if (port_is_free(port)) {
      return port;
    }
  }
  throw std::runtime_error("no free TCP port between 20000 and 32000");
}

int stop_signal(PgCluster::StopMode mode) {
  switch (mode) {
    case PgCluster::StopMode::kSmart:
      return SIGTERM;
    case PgCluster::StopMode::kFast:
      return SIGINT;
    case PgCluster::StopMode::kImmediate:
      return SIGQUIT;
  }
  return SIGQUIT;
}

// Parent's process id, from the fourth field of /proc/<pid>/stat; the second may hold spaces.
pid_t parent_of(const std::filesystem::path& process) {
  const auto text = read_file(process / "stat");
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) {
    return -1;
  }
  std::istringstream rest(text.substr(name_end + 1));
  char state = 0;
  pid_t parent = -1;
  rest >> state >> parent;
  return parent;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code ended;  // a process may end while we look
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ended)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && parent_of(entry.path()) == parent) {
      children.push_back(pid);
    }
  }
  return children;
}

// While it lives, orphans of our children come to us instead of to init, which in a container may
// never reap them.
class OrphanReaper {
 public:
  OrphanReaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~OrphanReaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
  OrphanReaper(const OrphanReaper&) = delete;
  OrphanReaper& operator=(const OrphanReaper&) = delete;

  // True once the process is gone, reaped by us or by its parent.
  [[nodiscard]] static bool gone(pid_t pid) {
    const pid_t ended = ::waitpid(pid, nullptr, WNOHANG);
    return ended == pid || (ended < 0 && ::kill(pid, 0) != 0);
  }
};

}  // namespace

PgCluster::Options PgCluster::durable() {
  Options options;
  options.durable = true;
  return options;
}

PgCluster::PgCluster() : PgCluster(Options{}) {}

PgCluster::PgCluster(Options options) : options_(std::move(options)) {
  if (const auto user = detail::server_user()) {
    directory_.give_to(user->user, user->group);
  }
  detail::copy_template(data_directory());
  constexpr int kAttempts = 5;  // somebody may take the port between choosing and listening
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    port_ = choose_port();
    if (start_once()) {
      return;
    }
  }
  throw std::runtime_error("PostgreSQL does not start: " + log());
}

PgCluster::~PgCluster() {
  try {
    stop(StopMode::kImmediate);  // nothing of it is kept, so there is nothing to shut down in order
  } catch (...) {  // NOLINT: a destructor has nobody to tell, and stop has killed it by then
  }
}

std::vector<std::string> PgCluster::server_arguments() const {
  std::vector<std::string> settings{
      "listen_addresses=127.0.0.1",
      "port=" + std::to_string(port_),
      "unix_socket_directories=" + directory_.path().string(),
      "max_connections=" + std::to_string(options_.max_connections),
      "shared_buffers=32MB",
      "dynamic_shared_memory_type=mmap",
      "timezone=UTC",
      "logging_collector=off",
  };
  const std::string safety = options_.durable ? "on" : "off";
  for (const char* name : {"fsync", "full_page_writes", "synchronous_commit"}) {
    settings.push_back(std::string(name) + "=" + safety);
  }
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  std::vector<std::string> arguments{"-D", data_directory().string()};
  for (auto& setting : settings) {
    arguments.emplace_back("-c");
    arguments.push_back(std::move(setting));
  }
  return arguments;
}

// The last line of postmaster.pid says "ready" once connections are accepted (pg_ctl reads it too).
// The first names the process: the file of a killed predecessor must not count.
bool PgCluster::ready() const {
  std::ifstream file(data_directory() / "postmaster.pid");
  std::string line;
  if (!std::getline(file, line) || line != std::to_string(server_->pid())) {
    return false;
  }
  std::string last;
  while (std::getline(file, line)) {
    last = line;
  }
  return last.rfind("ready", 0) == 0;
}

bool PgCluster::start_once() {
  Process::Options options;
  options.user = detail::server_user();
  options.directory = "/";
  options.environment = {{"LC_ALL", "C"}};
  server_ = std::make_unique<Process>(detail::postgres_programs() / "postgres", server_arguments(),
                                      options);
  const bool settled = wait_until(kStartLimit, [this] { return !server_->running() || ready(); });
  return settled && server_->running();
}

void PgCluster::start() {
  if (running()) {
    return;
  }
  if (!start_once()) {
    throw std::runtime_error("PostgreSQL does not start again: " + log());
  }
}

void PgCluster::stop(StopMode mode) {
  if (!running()) {
    return;
  }
  server_->signal(stop_signal(mode));
  if (!server_->wait(kStopLimit)) {
    kill9();
    throw std::runtime_error("PostgreSQL did not stop within 30 s and was killed: " + log());
  }
}

void PgCluster::kill9() {
  if (!running()) {
    return;
  }
  const OrphanReaper reaper;
  server_->signal(SIGSTOP);  // no new children while they are counted
  const auto children = children_of(server_->pid());
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
  }
  server_->kill();
  for (const pid_t child : children) {
    if (!wait_until(kStopLimit, [child] { return OrphanReaper::gone(child); })) {
      throw std::runtime_error("a PostgreSQL process survived SIGKILL: " + std::to_string(child));
    }
  }
}

bool PgCluster::running() {
  return server_ && server_->running();
}

std::string PgCluster::log() const {
  return server_ ? server_->err() : std::string();
}

std::string PgCluster::dsn(const std::string& dbname, const std::string& user) const {
  return "host=" + directory_.path().string() + " port=" + std::to_string(port_) +
         " dbname=" + dbname + " user=" + user;
}

std::string PgCluster::tcp_dsn(const std::string& dbname, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=" + dbname + " user=" + user;
}

std::string PgCluster::query(const std::string& sql, const std::string& dbname,
                             const std::string& user) const {
  const auto done = run(detail::postgres_programs() / "psql",
                        {"--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
                         "--set=ON_ERROR_STOP=1", "--command=" + sql, dsn(dbname, user)});
  if (done.code != 0) {
    throw std::runtime_error("psql: " + done.err);
  }
  auto out = done.out;
  if (!out.empty() && out.back() == '\n') {
    out.pop_back();
  }
  return out;
}

void PgCluster::create_database(const std::string& name) const {
  query("CREATE DATABASE \"" + name + "\"");
}

}  // namespace plexsphere::test_support
