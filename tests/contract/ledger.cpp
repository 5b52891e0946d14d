#include "contract/ledger.hpp"

#include <fstream>
#include <mutex>
#include <stdexcept>

namespace plexsphere::contract {

namespace fs = std::filesystem;

namespace {

class Ledger {
 public:
  Ledger()
      : path_(ledger_directory() /
              (fs::read_symlink("/proc/self/exe").filename().string() + ".txt")) {
    fs::create_directories(ledger_directory());
    file_.open(path_, std::ios::trunc);
  }

  void enter(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (!entered_.insert(line).second) {
      return;
    }
    if (!(file_ << line << std::endl)) {
      throw std::runtime_error("the contract ledger " + path_.string() + " cannot be written");
    }
  }

 private:
  fs::path path_;
  std::mutex mutex_;  // of what follows
  std::ofstream file_;
  std::set<std::string> entered_;
};

}  // namespace

std::string ledger_line(const std::string& operation_id, int status, const std::string& code) {
  return operation_id + " " + std::to_string(status) + (code.empty() ? "" : " " + code);
}

void enter(const std::string& line) {
  static Ledger ledger;
  ledger.enter(line);
}

fs::path ledger_directory() {
  return PLEXSPHERE_CONTRACT_LEDGER;
}

std::set<std::string> all_entries() {
  std::set<std::string> out;
  if (!fs::exists(ledger_directory())) {
    return out;
  }
  for (const auto& file : fs::directory_iterator(ledger_directory())) {
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line);) {
      out.insert(line);
    }
  }
  return out;
}

}  // namespace plexsphere::contract
