// plexd-sim: agents and an operator against a running control plane.
//
//   plexd-sim walk --url http://127.0.0.1:8080 --token-file operator.token [--nodes 3] [--beats 2]
//
// makes a Domain, a Project and Resources, issues tokens, enrols Nodes with real X25519 keys, sends
// heartbeats, reads every Node's state, verifies the Domain's audit chain, and closes with
// "enrolled=N heartbeats=N chain=ok", each figure read back from the API. Exit 1 names the step.
//
//   plexd-sim load --url http://127.0.0.1:8080 --token-file operator.token [--nodes 50] [--workers
//   8]
//
// has many agents come, live and leave; see load.hpp. One line of JSON, exit 1 for any failure.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "plexsphere/sdk/uuid.hpp"
#include "sim/load.hpp"
#include "sim/node.hpp"
#include "sim/operator.hpp"

namespace plexsphere::sim {
namespace {

struct WalkOptions {
  std::string url;
  std::string token_file;
  int nodes = 3;
  int beats = 2;
};

std::string read_token(const std::string& path) {
  std::ifstream in(path);
  std::string token;
  if (!std::getline(in, token) || token.empty()) {
    throw std::runtime_error("the token file " + path + " is missing or empty");
  }
  return token;
}

// A /20 of 100.64.0.0/10 that an earlier walk has hardly taken.
std::string fresh_mesh_cidr() {
  std::array<unsigned char, 2> random;
  sdk::random_bytes(random.data(), random.size());
  return "100." + std::to_string(64 + random[0] % 64) + "." + std::to_string(random[1] % 16 * 16) +
         ".0/20";
}

class Walk {
 public:
  explicit Walk(const WalkOptions& options)
      : options_(options), operator_(options.url, read_token(options.token_file)) {}

  // The failing step is in step() when this throws.
  void run() {
    make_tenant();
    enrol();
    beat();
    read_states();
    verify();
  }
  const std::string& step() const { return step_; }

 private:
  void say(const std::string& step) {
    step_ = step;
    std::cout << "  " << step << std::endl;
  }

  void make_tenant() {
    const std::string slug = random_slug("walk");
    const std::string mesh_cidr = fresh_mesh_cidr();
    say("create Domain " + slug + " with mesh pool " + mesh_cidr);
    domain_ = operator_.create_domain(slug, mesh_cidr);
    say("create Project edge in Domain " + domain_);
    project_ = operator_.create_project(domain_, "edge");
  }

  void enrol() {
    for (int i = 1; i <= options_.nodes; ++i) {
      const std::string handle = "host-" + std::to_string(i);
      say("create Resource " + handle + ", issue its bootstrap token, enrol");
      operator_.create_resource(project_, handle);
      const std::string token = operator_.issue_token(project_);
      nodes_.push_back(Node::enrol(options_.url, {project_, handle, token, make_nonce()}));
      std::cout << "    node " << nodes_.back().id() << " at " << nodes_.back().mesh_ip() << ", "
                << nodes_.back().peers_at_enrolment() << " peers" << std::endl;
    }
  }

  // A heartbeat counts once the API shows it as the Node's latest.
  void beat() {
    say("send " + std::to_string(options_.beats) + " heartbeats from each Node");
    for (int round = 0; round < options_.beats; ++round) {
      for (const Node& node : nodes_) {
        const std::string accepted = node.heartbeat();
        const auto shown = node.reachability();
        if (shown.at("last_heartbeat_at") != accepted || shown.at("state") != "healthy") {
          throw std::runtime_error("node " + node.id() + " shows " + shown.dump() +
                                   " after a heartbeat accepted at " + accepted);
        }
        ++heartbeats_;
      }
    }
  }

  void read_states() {
    say("read every Node's desired state");
    std::set<std::string> seen;
    for (const Node& node : nodes_) {
      const auto state = node.state();
      for (const auto& peer : state.at("peers")) {
        if (peer.at("node_id") == node.id()) {
          throw std::runtime_error("node " + node.id() + " is among its own peers");
        }
        seen.insert(peer.at("node_id").get<std::string>());
      }
    }
    if (options_.nodes > 1 && seen.size() != nodes_.size()) {
      throw std::runtime_error("the states name " + std::to_string(seen.size()) + " peers");
    }
  }

  void verify() {
    say("verify the Domain's audit chain");
    const auto verdict = operator_.verify_chain(domain_);
    const std::size_t enrolled = operator_.count_audit_rows(domain_, "node.register");
    const bool intact = verdict.at("ok").get<bool>();
    std::cout << "    rows " << verdict.at("segment_from") << " to " << verdict.at("segment_to")
              << std::endl;
    std::cout << "enrolled=" << enrolled << " heartbeats=" << heartbeats_
              << " chain=" << (intact ? "ok" : "DIVERGENT") << std::endl;
    if (!intact || enrolled != nodes_.size()) {
      throw std::runtime_error("the audit log does not show what was done");
    }
  }

  WalkOptions options_;
  Operator operator_;
  std::string step_ = "read the operator's token";
  std::string domain_;
  std::string project_;
  std::vector<Node> nodes_;
  std::size_t heartbeats_ = 0;
};

int walk(const WalkOptions& options) {
  std::string step = "read the operator's token";
  try {
    Walk walk(options);
    try {
      walk.run();
      return 0;
    } catch (...) {
      step = walk.step();
      throw;
    }
  } catch (const std::exception& e) {
    std::cerr << "plexd-sim: step failed: " << step << "\n  " << e.what() << std::endl;
    return 1;
  }
}

// What `load` is told, as far as it is not told right away.
struct LoadFlags {
  LoadOptions options;
  std::string token_file;
  long seconds = 10;
};

int run_load(LoadFlags flags) {
  try {
    flags.options.token = read_token(flags.token_file);
    flags.options.duration = std::chrono::seconds(flags.seconds);
    return load(flags.options) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "plexd-sim: " << error.what() << std::endl;
    return 1;
  }
}

CLI::App* add_walk(CLI::App& app, WalkOptions& options) {
  CLI::App* walk = app.add_subcommand("walk", "Enrol Nodes into a new Domain and check everything");
  walk->add_option("--url", options.url, "Base URL of the core")->required();
  walk->add_option("--token-file", options.token_file, "File with an operator's API token")
      ->required();
  walk->add_option("--nodes", options.nodes, "Nodes to enrol")->check(CLI::Range(1, 1000));
  walk->add_option("--beats", options.beats, "Heartbeats of each Node")->check(CLI::Range(1, 100));
  return walk;
}

CLI::App* add_load(CLI::App& app, LoadFlags& flags) {
  LoadOptions& options = flags.options;
  CLI::App* load = app.add_subcommand(
      "load",
      "Enrol Nodes into new Domains and have them live: heartbeats, state, events, reports, key\n"
      "rotations; now and then one leaves and another enrols. Prints one line of JSON with "
      "counts,\n"
      "failures and latencies; exit 1 when anything failed or the server lists other Nodes than "
      "live.");
  load->add_option("--url", options.urls, "Base URL of the core; several times for replicas")
      ->required();
  load->add_option("--token-file", flags.token_file, "File with an operator's API token")
      ->required();
  load->add_option("--nodes", options.nodes, "Nodes that live at a time")
      ->check(CLI::Range(1, 50000))
      ->capture_default_str();
  load->add_option("--domains", options.domains, "Domains they are spread over")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  load->add_option("--workers", options.workers, "Nodes that act at the same time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  load->add_option("--seconds", flags.seconds, "How long, once all are enrolled")
      ->check(CLI::Range(1, 7 * 24 * 3600))
      ->capture_default_str();
  load->add_option("--churn", options.churn,
                   "After which part of its turns a Node leaves and another enrols")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  return load;
}

}  // namespace
}  // namespace plexsphere::sim

int main(int argc, char** argv) {
  namespace sim = plexsphere::sim;
  CLI::App app{"Agents and an operator against a running control plane", "plexd-sim"};
  app.require_subcommand(1);
  sim::WalkOptions walk_options;
  sim::LoadFlags load_flags;
  const CLI::App* walk = sim::add_walk(app, walk_options);
  sim::add_load(app, load_flags);
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) {
    std::cerr << "plexd-sim: libsodium does not initialise" << std::endl;
    return 1;
  }
  return walk->parsed() ? sim::walk(walk_options) : sim::run_load(load_flags);
}
