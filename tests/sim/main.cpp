// plexd-sim: agents and an operator against a running control plane.
//
//   plexd-sim walk --url http://127.0.0.1:8080 --token-file operator.token [--nodes 3] [--beats 2]
//
// makes a Domain, a Project and Resources, issues tokens, enrols Nodes with real X25519 keys, sends
// heartbeats, reads every Node's state, verifies the Domain's audit chain, and closes with
// "enrolled=N heartbeats=N chain=ok", each figure read back from the API. Exit 1 names the step.
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"
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

// A slug and a /20 of 100.64.0.0/10 that an earlier walk has hardly taken.
struct Fresh {
  std::string slug;
  std::string mesh_cidr;
};
Fresh make_fresh() {
  std::array<unsigned char, 6> random;
  sdk::random_bytes(random.data(), random.size());
  const std::string text =
      sdk::hex_encode({reinterpret_cast<const char*>(random.data()), random.size()});
  const int second = 64 + random[0] % 64;
  const int third = (random[1] % 16) * 16;
  return {"walk-" + text, "100." + std::to_string(second) + "." + std::to_string(third) + ".0/20"};
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
    const Fresh fresh = make_fresh();
    say("create Domain " + fresh.slug + " with mesh pool " + fresh.mesh_cidr);
    domain_ = operator_.create_domain(fresh.slug, fresh.mesh_cidr);
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

}  // namespace
}  // namespace plexsphere::sim

int main(int argc, char** argv) {
  CLI::App app{"Agents and an operator against a running control plane", "plexd-sim"};
  app.require_subcommand(1);
  plexsphere::sim::WalkOptions options;
  CLI::App* walk = app.add_subcommand("walk", "Enrol Nodes into a new Domain and check everything");
  walk->add_option("--url", options.url, "Base URL of the core")->required();
  walk->add_option("--token-file", options.token_file, "File with an operator's API token")
      ->required();
  walk->add_option("--nodes", options.nodes, "Nodes to enrol")->check(CLI::Range(1, 1000));
  walk->add_option("--beats", options.beats, "Heartbeats of each Node")->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) {
    std::cerr << "plexd-sim: libsodium does not initialise" << std::endl;
    return 1;
  }
  return plexsphere::sim::walk(options);
}
