#include "e2e/deployment.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "contract/observer.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/http_client.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::e2e {

using test_support::PgCluster;
using test_support::Process;

namespace {

constexpr const char* kDatabase = "plexsphere";
constexpr std::array kContexts{"audit",    "authz", "signing_client", "tenancy", "mesh",
                               "identity", "meta"};

void write_secret(const std::filesystem::path& path) {
  std::array<char, 32> bytes;
  sdk::random_bytes(bytes.data(), bytes.size());
  std::ofstream(path, std::ios::binary).write(bytes.data(), bytes.size());
  ::chmod(path.c_str(), 0400);
}

test_support::Completed run_or_throw(const std::filesystem::path& program,
                                     std::vector<std::string> arguments) {
  auto done = test_support::run(program, std::move(arguments));
  if (done.code != 0) {
    throw std::runtime_error(program.filename().string() + " ended with " +
                             std::to_string(done.code) + ":\n" + done.err + done.out);
  }
  return done;
}

// The one token-like word in what `plexsphere-bootstrap operator create` shows.
std::string token_in(const std::string& text) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.starts_with("psk_")) {
      return word;
    }
  }
  throw std::runtime_error("plexsphere-bootstrap showed no token:\n" + text);
}

std::unique_ptr<Process> start_and_wait_for_address(const std::filesystem::path& program,
                                                    std::vector<std::string> arguments,
                                                    const std::filesystem::path& address_file) {
  std::filesystem::remove(address_file);
  auto process = std::make_unique<Process>(program, std::move(arguments));
  const bool listening = test_support::wait_until(
      30s, [&] { return std::filesystem::exists(address_file) || !process->running(); });
  if (!listening || !std::filesystem::exists(address_file)) {
    throw std::runtime_error(program.filename().string() + " does not listen:\n" + process->err());
  }
  return process;
}

}  // namespace

std::filesystem::path Deployment::binaries() {
  return PLEXSPHERE_BUILD_DIR "/bin";
}
std::filesystem::path Deployment::plugins() {
  return PLEXSPHERE_BUILD_DIR "/plugins";
}

Deployment::Deployment() : Deployment(Options{}) {}

Deployment::Deployment(Options options)
    : options_(std::move(options)),
      postgres_(std::make_unique<PgCluster>(PgCluster::Options{
          .durable = options_.durable, .settings = options_.postgres_settings})) {
  contract::observe_if_asked();
  postgres_->create_database(kDatabase);
  write_secrets();
  write_configuration();
  migrate();
  if (!is_disabled("identity")) {
    operator_token_ = make_operator("e2e");
  }
  if (options_.signer) {
    start_signer();
  }
}

bool Deployment::is_disabled(const std::string& context) const {
  return std::ranges::find(options_.disabled, context) != options_.disabled.end();
}

std::string Deployment::admin_dsn() const {
  return postgres_->dsn(kDatabase);
}

sim::Operator Deployment::op() const {
  return {cores_.at(0)->url(), operator_token_};
}

void Deployment::write_secrets() {
  write_secret(files_.path() / "root.key");
  write_secret(files_.path() / "signer.seed");
  for (const char* name : {"run", "signer-state"}) {
    std::filesystem::create_directory(files_.path() / name);
    ::chmod((files_.path() / name).c_str(), 0750);
  }
}

void Deployment::write_configuration() {
  const std::string here = files_.path().string();
  const std::string common = "[plugins]\ndirectory = \"" + plugins().string() +
                             "\"\ntrusted_owner = " + std::to_string(::getuid()) + "\n";
  std::string core =
      common + "[http]\ndrain_delay = \"0s\"\nunauthenticated_rate = 0\n[database]\ndsn = \"" +
      postgres_->dsn(kDatabase, "plexsphere_core") + "\"\nadmin_dsn = \"" + admin_dsn() +
      "\"\n[seal]\nroot_key_file = \"" + here + "/root.key\"\n";
  for (const char* context : kContexts) {
    if (is_disabled(context)) {
      continue;
    }
    core += "[context." + std::string(context) + "]\nenabled = true\n";
    if (context == std::string("signing_client")) {
      core += "target = \"unix:" + here + "/run/signer.sock\"\n";
    }
  }
  core_configuration_ = files_.write("core.toml", core + options_.core_settings);
  signer_configuration_ = files_.write(
      "signer.toml", common + "[http]\ndrain_delay = \"0s\"\n[context.signing]\nenabled = true\n" +
                         "listen = \"unix:" + here + "/run/signer.sock\"\nseed_file = \"" + here +
                         "/signer.seed\"\nstate_directory = \"" + here + "/signer-state\"\n");
}

void Deployment::migrate() {
  run_or_throw(binaries() / "plexsphere-bootstrap",
               {"migrate", "--config", core_configuration_.string()});
}

std::string Deployment::make_operator(const std::string& name) const {
  return token_in(
      run_or_throw(binaries() / "plexsphere-bootstrap",
                   {"operator", "create", "--name", name, "--config", core_configuration_.string()})
          .out);
}

void Deployment::start_signer() {
  const auto address = files_.path() / "signer.addr";
  signer_ = start_and_wait_for_address(binaries() / "plexsphere-signer",
                                       {"--addr", "127.0.0.1:0", "--addr-file", address.string(),
                                        "--config", signer_configuration_.string()},
                                       address);
}

void Deployment::stop_signer() {
  if (signer_) {
    signer_->terminate();
    (void)signer_->wait(20s);
    signer_.reset();
  }
}

Core& Deployment::launch_core(const std::string& overrides) {
  const std::string name = "core-" + std::to_string(cores_.size());
  const auto address = files_.path() / (name + ".addr");
  // Overrides go into a drop-in, which wins key by key: TOML forbids a section to stand twice.
  std::filesystem::create_directories(files_.path() / name / "conf.d");
  const auto configuration =
      files_.write(name + "/plexsphere.toml", test_support::read_file(core_configuration_));
  files_.write(name + "/conf.d/overrides.toml", overrides);
  std::vector<std::string> arguments{"--addr",         "127.0.0.1:0", "--addr-file",
                                     address.string(), "--config",    configuration.string()};
  arguments.insert(arguments.end(), options_.core_flags.begin(), options_.core_flags.end());
  auto process = start_and_wait_for_address(binaries() / "plexsphere", arguments, address);
  std::string bound = test_support::read_file(address);
  bound.erase(bound.find_last_not_of(" \n") + 1);
  cores_.push_back(std::make_unique<Core>(std::move(process), "http://" + bound));
  return *cores_.back();
}

Core& Deployment::start_core(const std::string& overrides) {
  Core& core = launch_core(overrides);
  const auto ready = wait_for_status(core.url() + "/readyz", 200);
  if (ready.status != 200) {
    throw std::runtime_error("the core does not become ready: " + ready.body + "\n" +
                             core.process().err());
  }
  return core;
}

test_support::HttpResponse wait_for_status(const std::string& url, int status,
                                           std::chrono::milliseconds limit) {
  test_support::HttpResponse last;
  (void)test_support::wait_until(limit, [&] {
    try {
      last = test_support::HttpClient(5s).request("GET", url);
    } catch (const std::exception&) {
      last = {};
    }
    return last.status == status;
  });
  return last;
}

}  // namespace plexsphere::e2e
