// Statements and pre-commit participants, declared by contexts while they are configured.
//
// Thread safety: declare and participate take a lock; find is wait-free, so that the hot path never
// waits for a plugin that is being configured. Ownership: entries live as long as the catalog.
// Invariants: ids are dense from 0 and never reused; an entry never changes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plexsphere/abi/store.h"

namespace plexsphere::host::persistence {

// Who speaks: one context, or the host itself as "platform".
struct Client {
  std::string context;     // also its schema
  std::string role;        // "plexsphere_<context>"
  bool may_audit = false;  // may join PX_PHASE_AUDIT: it provides px.audit
  bool is_host = false;    // may join any phase
};

struct Statement {
  std::uint32_t id = 0;
  std::string context;
  std::string name;
  std::string sql;
  std::vector<px_type> parameters;
  std::vector<px_type> results;
  bool port = false;
  bool read_only = false;
  bool copied = false;  // streamed by binary COPY
};

struct Participant {
  std::uint32_t id = 0;
  std::string context;
  std::string name;
  px_phase phase = PX_PHASE_PROJECTION;
  void* ctx = nullptr;
  px_status (*flush)(void*, px_tx*, void* const*, std::uint64_t, px_error*) = nullptr;
  void (*release)(void*, void*) = nullptr;
};

class Catalog {
 public:
  static constexpr std::size_t kMaxStatements = 4096;
  static constexpr std::size_t kMaxParticipants = 64;
  static constexpr std::size_t kMaxColumns = 64;

  // Throws StoreError: PX_INVALID_ARGUMENT for text or types that judge_statement refuses or that
  // disagree with each other, PX_ALREADY_EXISTS for a name in use, PX_RESOURCE_EXHAUSTED when full.
  std::uint32_t declare(const Client& client, const px_statement& statement);
  // Throws StoreError(PX_PERMISSION_DENIED) unless the client may join the phase.
  std::uint32_t participate(const Client& client, const px_participant& participant);

  // Throws StoreError(PX_INVALID_ARGUMENT) for an id that was never given out.
  [[nodiscard]] const Statement& statement(std::uint32_t id) const;
  [[nodiscard]] const Participant& participant(std::uint32_t id) const;

  // Everything declared so far by the context.
  [[nodiscard]] std::vector<const Statement*> statements_of(const std::string& context) const;

 private:
  template <typename Entry, std::size_t N>
  struct Slots {
    std::array<std::atomic<const Entry*>, N> published{};
    std::vector<std::unique_ptr<Entry>> owned;
  };

  mutable std::mutex mutex_;
  Slots<Statement, kMaxStatements> statements_;
  Slots<Participant, kMaxParticipants> participants_;
};

}  // namespace plexsphere::host::persistence
