#include "http/checkpoint_routes.hpp"

#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "app/kept_range.hpp"
#include "app/note_signer.hpp"
#include "http/parse.hpp"
#include "http/render.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Answer;
using sdk::Problem;
using sdk::Request;
using sdk::Response;
using sdk::Status;
using sdk::Uuid;

constexpr std::int64_t kEverySize = std::numeric_limits<std::int64_t>::max();

std::string list_name(const Uuid& chain) {
  return "audit-checkpoints/" + chain.text();
}

Problem no_number(const std::string& code, std::string_view parameter) {
  return sdk::bad_request(code,
                          "\"" + std::string(parameter) + "\" must be a whole number from 1.");
}

Problem no_checkpoint(std::optional<std::int64_t> size) {
  return sdk::not_found("checkpoint_not_found", size ? "The chain has no checkpoint of " +
                                                           std::to_string(*size) + " entries."
                                                     : "The chain has no checkpoint yet.");
}

Problem behind_boundary(std::uint64_t begins) {
  return sdk::not_found("behind_retention_boundary",
                        "Entries up to " + std::to_string(begins) + " have left the database.");
}

// Entries or nodes that a checkpoint covers are gone: the watch and the job tell of it.
sdk::Error not_there() {
  return {sdk::Code::data_loss, "tree_incomplete", "Entries of a signed tree are not there."};
}

}  // namespace

Status CheckpointRoutes::add_to(const sdk::Router& router) {
  using Handle = Answer (CheckpointRoutes::*)(const Request&, const Uuid&) const;
  for (const auto& [rest, handle] :
       {std::pair<std::string_view, Handle>{"/audit/checkpoint", &CheckpointRoutes::note},
        {"/audit/checkpoints", &CheckpointRoutes::list},
        {"/audit/records", &CheckpointRoutes::records},
        {"/audit/proofs/inclusion", &CheckpointRoutes::inclusion},
        {"/audit/proofs/consistency", &CheckpointRoutes::consistency}}) {
    auto added = chains_.add(router, {"GET", rest, "auditor", 403},
                             [this, handle = handle](const Request& request, const Uuid& chain) {
                               return (this->*handle)(request, chain);
                             });
    if (!added.ok()) {
      return added;
    }
  }
  return {};
}

Answer CheckpointRoutes::note(const Request& request, const Uuid& chain) const {
  std::optional<std::int64_t> size;
  if (const auto asked = request.query("size")) {
    size = parse_seq(*asked);
    if (!size) {
      return no_number("invalid_size", "size");
    }
  }
  const auto found = checkpoints_.find(chain, size);
  if (!found.ok()) {
    return chains_.failed(found.error());
  }
  if (!found.value()) {
    return no_checkpoint(size);
  }
  return Response{200, found.value()->note, "text/plain; charset=utf-8", {}};
}

Answer CheckpointRoutes::list(const Request& request, const Uuid& chain) const {
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  const std::string name = list_name(chain);
  std::int64_t after = 0;
  if (const auto cursor = request.query("cursor")) {
    const auto payload = cursors_.decode({name}, *cursor);
    const auto size = payload.ok() ? parse_seq(payload.value()) : std::nullopt;
    if (!size) {
      return sdk::bad_request("invalid_cursor",
                              "The cursor is not one that this chain's list has issued; start "
                              "again without it.");
    }
    after = *size;
  }
  const auto page = checkpoints_.list(chain, after, kEverySize, *limit);
  if (!page.ok()) {
    return chains_.failed(page.error());
  }
  const auto restores = epochs_.list(chain);
  if (!restores.ok()) {
    return chains_.failed(restores.error());
  }
  const auto begins = beginning(chain);
  if (!begins.ok()) {
    return chains_.failed(begins.error());
  }
  const bool full = static_cast<std::int64_t>(page->size()) == *limit;
  const std::string next =
      full ? cursors_.encode({name}, std::to_string(page->back().size)) : std::string{};
  return Response::json(200, render_checkpoints(sdk::checkpoint::origin_of(scope_of(chain)), *page,
                                                *restores, *begins, next));
}

sdk::Result<ChainBeginning> CheckpointRoutes::beginning(const Uuid& chain) const {
  const auto newest = checkpoints_.find(chain, std::nullopt);
  if (!newest.ok()) {
    return newest.error();
  }
  ChainBeginning out{beginning_of(chain, newest.value()), {}};
  const auto tree = kept_range(checkpoints_, chain, static_cast<std::int64_t>(out.begins.seq));
  if (!tree.ok()) {
    return tree.error();
  }
  out.peaks = tree->peaks();
  return out;
}

// By number and without a cursor: who exports knows where it stopped.
Answer CheckpointRoutes::records(const Request& request, const Uuid& chain) const {
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  const auto from = parse_seq(request.query("from").value_or(std::string_view("1")));
  if (!from) {
    return no_number("invalid_seq", "from");
  }
  const auto page = store_.records(chain, *from, *limit);
  return page.ok() ? Answer(Response::json(200, render_records(*page)))
                   : chains_.failed(page.error());
}

std::variant<std::int64_t, Answer> CheckpointRoutes::proved_size(const Request& request,
                                                                 std::string_view parameter,
                                                                 const Uuid& chain) const {
  std::int64_t asked = 0;  // for nothing
  if (const auto text = request.query(parameter)) {
    asked = parse_seq(*text).value_or(0);
    if (asked == 0) {
      return Answer(no_number("invalid_size", parameter));
    }
  }
  const auto newest = checkpoints_.find(chain, std::nullopt);
  if (!newest.ok()) {
    return Answer(chains_.failed(newest.error()));
  }
  if (!newest.value()) {
    return Answer(no_checkpoint(std::nullopt));
  }
  const std::int64_t most = newest.value()->size;
  if (asked > most) {
    return Answer(sdk::not_found("checkpoint_not_found",
                                 "No checkpoint covers " + std::to_string(asked) +
                                     " entries; the newest is of " + std::to_string(most) + "."));
  }
  return asked == 0 ? most : asked;
}

Answer CheckpointRoutes::inclusion(const Request& request, const Uuid& chain) const {
  const auto seq = parse_seq(request.query("seq").value_or(std::string_view{}));
  if (!seq) {
    return no_number("invalid_seq", "seq");
  }
  const auto size = proved_size(request, "size", chain);
  if (const auto* refusal = std::get_if<Answer>(&size)) {
    return *refusal;
  }
  const std::int64_t leaves = std::get<std::int64_t>(size);
  if (*seq > leaves) {
    return sdk::bad_request("invalid_seq", "\"seq\" must be no greater than the size, which is " +
                                               std::to_string(leaves) + ".");
  }
  const auto begins = beginning(chain);
  if (!begins.ok()) {
    return chains_.failed(begins.error());
  }
  if (static_cast<std::uint64_t>(*seq) <= begins->begins.seq) {
    return behind_boundary(begins->begins.seq);
  }
  const auto entry = checkpoints_.hashes(chain, 0, *seq - 1, *seq - 1);
  const auto root = tree_.root(chain, leaves);
  const auto proof = tree_.inclusion(chain, *seq, leaves);
  for (const sdk::Error* fault :
       {entry.ok() ? nullptr : &entry.error(), root.ok() ? nullptr : &root.error(),
        proof.ok() ? nullptr : &proof.error()}) {
    if (fault != nullptr) {
      return chains_.failed(*fault);
    }
  }
  if (entry->empty() || !root.value() || !proof.value()) {
    return chains_.failed(not_there());
  }
  return Response::json(200,
                        render_inclusion({sdk::checkpoint::origin_of(scope_of(chain)), *seq, leaves,
                                          entry->front(), *root.value(), *proof.value()}));
}

Answer CheckpointRoutes::consistency(const Request& request, const Uuid& chain) const {
  const auto from = parse_seq(request.query("from").value_or(std::string_view{}));
  if (!from) {
    return no_number("invalid_size", "from");
  }
  const auto size = proved_size(request, "to", chain);
  if (const auto* refusal = std::get_if<Answer>(&size)) {
    return *refusal;
  }
  const std::int64_t to = std::get<std::int64_t>(size);
  if (*from > to) {
    return sdk::bad_request("invalid_size", "\"from\" must be no greater than \"to\", which is " +
                                                std::to_string(to) + ".");
  }
  const auto begins = beginning(chain);
  if (!begins.ok()) {
    return chains_.failed(begins.error());
  }
  if (static_cast<std::uint64_t>(*from) < begins->begins.seq) {
    return behind_boundary(begins->begins.seq);
  }
  const auto from_root = tree_.root(chain, *from);
  const auto to_root = tree_.root(chain, to);
  const auto proof = tree_.consistency(chain, *from, to);
  for (const sdk::Error* fault :
       {from_root.ok() ? nullptr : &from_root.error(), to_root.ok() ? nullptr : &to_root.error(),
        proof.ok() ? nullptr : &proof.error()}) {
    if (fault != nullptr) {
      return chains_.failed(*fault);
    }
  }
  if (!from_root.value() || !to_root.value() || !proof.value()) {
    return chains_.failed(not_there());
  }
  return Response::json(200,
                        render_consistency({sdk::checkpoint::origin_of(scope_of(chain)), *from, to,
                                            *from_root.value(), *to_root.value(), *proof.value()}));
}

}  // namespace plexsphere::audit
