// Registrations that start at the same moment, each from a thread of its own.
#pragma once

#include <barrier>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "e2e/enrolment_site.hpp"

namespace plexsphere::e2e {

// Argon2id at its minimum: for tests in which proofs of tokens would take most of the time.
inline constexpr const char* kCheapProof =
    "[context.identity]\nargon2_memory_kib = 64\nargon2_passes = 1\n";

// Whether an answer asks the agent to come back, because others are before it.
inline bool come_back(const Answer& answer) {
  return answer.code == "registration_overloaded" || answer.code == "allocator_contention";
}

// The answers, in the order of the requests. Who is asked to come back does, as an agent would.
// `urls` are taken in turn.
inline std::vector<Answer> race(const std::vector<std::string>& urls,
                                const std::vector<nlohmann::json>& requests) {
  std::barrier start(static_cast<std::ptrdiff_t>(requests.size()));
  std::vector<Answer> answers(requests.size());
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    clients.emplace_back([&, i] {
      const std::string body = requests[i].dump();
      start.arrive_and_wait();
      for (int attempt = 0; attempt < 50; ++attempt) {
        answers[i] = EnrolmentSite::register_at(urls[i % urls.size()], body);
        if (!come_back(answers[i])) {
          break;
        }
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  return answers;
}

// How often a race is run: `standard`, or what PLEXSPHERE_RACE_ROUNDS says (./dev soak enrol).
inline int race_rounds(int standard) {
  const char* set = std::getenv("PLEXSPHERE_RACE_ROUNDS");
  return set == nullptr ? standard : std::atoi(set);
}

}  // namespace plexsphere::e2e
