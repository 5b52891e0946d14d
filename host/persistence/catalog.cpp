#include "host/persistence/catalog.hpp"

#include <algorithm>
#include <utility>

#include "host/persistence/copy_reader.hpp"
#include "host/persistence/statement_text.hpp"
#include "host/persistence/store_error.hpp"
#include "host/persistence/wire_value.hpp"

namespace plexsphere::host::persistence {
namespace {

std::string text_of(px_str text) {
  return text.len == 0 ? std::string{} : std::string(text.ptr, text.len);
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw StoreError(PX_INVALID_ARGUMENT, "statement_refused", "statement '" + name + "': " + why);
}

std::vector<px_type> checked_types(const std::string& name, const char* what, const px_type* types,
                                   std::uint64_t count) {
  if (count > Catalog::kMaxColumns || (count > 0 && types == nullptr)) {
    refuse(name, std::string{"it declares "} + std::to_string(count) + " " + what +
                     "; the limit is " + std::to_string(Catalog::kMaxColumns));
  }
  std::vector<px_type> out(types, types + count);
  for (const px_type type : out) {
    if (!is_wire_type(type)) {
      refuse(name,
             "type " + std::to_string(type) + " among its " + what + " is not one of px_type");
    }
  }
  return out;
}

Statement build_statement(const Client& client, const px_statement& given) {
  if (given.struct_size < sizeof(px_statement)) {
    refuse("", "px_statement is shorter than revision 1 of px.store");
  }
  Statement out;
  out.context = client.context;
  out.name = text_of(given.name);
  out.sql = text_of(given.sql);
  if (out.name.empty() || out.name.size() > 64) {
    refuse(out.name, "a statement's name has 1 to 64 bytes");
  }
  out.parameters = checked_types(out.name, "parameters", given.parameters, given.parameter_count);
  out.results = checked_types(out.name, "results", given.results, given.result_count);
  out.port = (given.flags & PX_STATEMENT_PORT) != 0;
  out.read_only = (given.flags & PX_STATEMENT_READ) != 0;
  out.copied = (given.flags & PX_STATEMENT_COPY) != 0;
  return out;
}

void judge_copied(const Statement& statement) {
  if (!statement.read_only || statement.port || statement.results.empty()) {
    refuse(statement.name, "PX_STATEMENT_COPY goes with PX_STATEMENT_READ alone, and with results");
  }
  for (const px_type type : statement.results) {
    if (!may_be_copied(type)) {
      refuse(statement.name, "PX_STATEMENT_COPY has no results of type " + wire_type_name(type));
    }
  }
}

void judge(const Statement& statement) {
  StatementShape shape;
  try {
    shape = judge_statement(statement.sql);
    if (statement.port) {
      judge_port_statement(statement.sql, statement.context);
    }
  } catch (const StoreError& error) {
    refuse(statement.name, error.what());
  }
  if (shape.parameter_count != statement.parameters.size()) {
    refuse(statement.name, "its text has " + std::to_string(shape.parameter_count) +
                               " parameters, its declaration " +
                               std::to_string(statement.parameters.size()));
  }
  if (statement.read_only && !statement.port && !shape.reads_only) {
    refuse(statement.name, "it is declared PX_STATEMENT_READ but changes data");
  }
  if (statement.copied) {
    judge_copied(statement);
  }
}

bool may_join(const Client& client, px_phase phase) {
  return client.is_host || (phase == PX_PHASE_AUDIT && client.may_audit);
}

}  // namespace

std::uint32_t Catalog::declare(const Client& client, const px_statement& statement) {
  auto entry = std::make_unique<Statement>(build_statement(client, statement));
  judge(*entry);
  const std::lock_guard lock(mutex_);
  const bool taken = std::ranges::any_of(statements_.owned, [&](const auto& other) {
    return other->context == entry->context && other->name == entry->name;
  });
  if (taken) {
    throw StoreError(PX_ALREADY_EXISTS, "statement_exists",
                     "statement '" + entry->name + "' is declared twice by " + entry->context);
  }
  if (statements_.owned.size() == kMaxStatements) {
    throw StoreError(PX_RESOURCE_EXHAUSTED, "too_many_statements",
                     "all " + std::to_string(kMaxStatements) + " statement slots are taken");
  }
  entry->id = static_cast<std::uint32_t>(statements_.owned.size());
  statements_.published[entry->id].store(entry.get(), std::memory_order_release);
  statements_.owned.push_back(std::move(entry));
  return statements_.owned.back()->id;
}

std::uint32_t Catalog::participate(const Client& client, const px_participant& participant) {
  const bool complete = participant.struct_size >= sizeof(px_participant) &&
                        participant.flush != nullptr && participant.release != nullptr &&
                        participant.phase >= PX_PHASE_PROJECTION &&
                        participant.phase <= PX_PHASE_AUDIT;
  if (!complete) {
    throw StoreError(PX_INVALID_ARGUMENT, "participant_incomplete",
                     "a participant needs a known phase, flush and release");
  }
  if (!may_join(client, participant.phase)) {
    throw StoreError(PX_PERMISSION_DENIED, "phase_not_granted",
                     client.context +
                         " may not join this phase: the audit phase belongs to the "
                         "provider of px.audit, the others go through px.outbox");
  }
  const std::lock_guard lock(mutex_);
  if (participants_.owned.size() == kMaxParticipants) {
    throw StoreError(PX_RESOURCE_EXHAUSTED, "too_many_participants",
                     "all " + std::to_string(kMaxParticipants) + " participant slots are taken");
  }
  auto entry = std::make_unique<Participant>();
  entry->id = static_cast<std::uint32_t>(participants_.owned.size());
  entry->context = client.context;
  entry->name = text_of(participant.name);
  entry->phase = participant.phase;
  entry->ctx = participant.ctx;
  entry->flush = participant.flush;
  entry->release = participant.release;
  participants_.published[entry->id].store(entry.get(), std::memory_order_release);
  participants_.owned.push_back(std::move(entry));
  return participants_.owned.back()->id;
}

const Statement& Catalog::statement(std::uint32_t id) const {
  const Statement* found =
      id < kMaxStatements ? statements_.published[id].load(std::memory_order_acquire) : nullptr;
  if (found == nullptr) {
    throw StoreError(PX_INVALID_ARGUMENT, "unknown_statement",
                     "statement id " + std::to_string(id) + " was never declared");
  }
  return *found;
}

const Participant& Catalog::participant(std::uint32_t id) const {
  const Participant* found =
      id < kMaxParticipants ? participants_.published[id].load(std::memory_order_acquire) : nullptr;
  if (found == nullptr) {
    throw StoreError(PX_INVALID_ARGUMENT, "unknown_participant",
                     "participant id " + std::to_string(id) + " was never declared");
  }
  return *found;
}

std::vector<const Statement*> Catalog::statements_of(const std::string& context) const {
  const std::lock_guard lock(mutex_);
  std::vector<const Statement*> out;
  for (const auto& entry : statements_.owned) {
    if (entry->context == context) {
      out.push_back(entry.get());
    }
  }
  return out;
}

}  // namespace plexsphere::host::persistence
