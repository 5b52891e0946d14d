#include "http/render.hpp"

#include <nlohmann/json.hpp>

#include "app/digest.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "store/decode.hpp"

namespace plexsphere::audit {
namespace {

using Json = nlohmann::ordered_json;
using sdk::hex_encode;
using sdk::Result;

Json subject_json(const StoredEntry& stored, const DecodedEntry& entry) {
  Json subject{{"pseudonym", entry.subject_pseudonym}};
  const bool is_identity = stored.subject_type && *stored.subject_type != "system" &&
                           sdk::Uuid::parse(stored.subject_plaintext.value_or(""));
  if (is_identity) {
    subject["identity_id_ref"] = *stored.subject_plaintext;
  }
  return subject;
}

Json context_json(const StoredEntry& stored) {
  Json context = Json::object();
  if (stored.source_ip) {
    context["ip"] = *stored.source_ip;
  }
  if (stored.user_agent) {
    context["user_agent"] = *stored.user_agent;
  }
  return context;
}

Json caveats_json(const DecodedEntry& entry) {
  Json caveats = Json::object();
  for (const auto& [name, parameters] : entry.caveat_context) {
    caveats[name] = parameters;
  }
  return caveats;
}

Result<Json> entry_json(const StoredEntry& stored) {
  const auto entry = decode(stored.canonical_bytes);
  if (!entry) {
    return sdk::Error{sdk::Code::data_loss, "canonical_bytes",
                      "Entry " + std::to_string(stored.seq) + " does not hold canonical bytes."};
  }
  Json out{
      {"seq", stored.seq},
      {"domain_id", entry->chain},
      {"occurred_at", sdk::rfc3339(entry->occurred_at)},
      {"reason", entry->reason},
      {"subject", subject_json(stored, *entry)},
      {"relation", entry->relation},
      {"object",
       {{"type", entry->object_type}, {"id", stored.object_person.value_or(entry->object_id)}}},
      {"decision", {{"result", entry->reason}, {"caveat_context", caveats_json(*entry)}}},
      {"correlation_id", entry->correlation_id},
      {"request_context", context_json(stored)},
      {"entry_hash", hex_encode(stored.entry_hash)},
      {"prev_hash", hex_encode(stored.prev_hash)}};
  if (stored.archived_at) {
    out["archive_etag"] = stored.archive_etag.value_or("");
    out["archived_at"] = sdk::rfc3339(*stored.archived_at);
  }
  return out;
}

Json hex_list(const std::vector<std::string>& hashes) {
  Json out = Json::array();
  for (const std::string& hash : hashes) {
    out.push_back(hex_encode(hash));
  }
  return out;
}

}  // namespace

Result<std::string> render_proof(const StoredEntry& stored) {
  auto entry = entry_json(stored);
  if (!entry.ok()) {
    return entry.error();
  }
  const Json out{{"entry", std::move(*entry)},
                 {"proof",
                  {{"prev_hash", hex_encode(stored.prev_hash)},
                   {"entry_hash", hex_encode(stored.entry_hash)},
                   {"canonical_bytes", sdk::base64_encode(stored.canonical_bytes)}}}};
  return out.dump();
}

Result<std::string> render_list(const std::vector<StoredEntry>& entries,
                                const std::string& next_cursor) {
  Json items = Json::array();
  for (const StoredEntry& stored : entries) {
    auto entry = entry_json(stored);
    if (!entry.ok()) {
      return entry.error();
    }
    items.push_back(std::move(*entry));
  }
  Json out{{"items", std::move(items)}};
  if (!next_cursor.empty()) {
    out["next_cursor"] = next_cursor;
  }
  return out.dump();
}

std::string render_verdict(const Verdict& verdict) {
  Json out{{"ok", !verdict.divergence.has_value()}};
  if (verdict.divergence) {
    out["divergent_seq"] = verdict.divergence->seq;
    if (verdict.divergence->expected) {
      out["expected_hash"] = hex_encode(*verdict.divergence->expected);
    }
    if (verdict.divergence->observed) {
      out["observed_hash"] = hex_encode(*verdict.divergence->observed);
    }
  }
  out["segment_from"] = verdict.from;
  out["segment_to"] = verdict.to;
  return out.dump();
}

std::string render_erasure(const Erasure::Outcome& outcome) {
  return Json{{"subject_pseudonym", hex_encode(outcome.pseudonym)},
              {"erased_at", sdk::rfc3339(outcome.erased_at)}}
      .dump();
}

std::string render_records(const std::vector<StoredEntry>& entries) {
  Json items = Json::array();
  for (const StoredEntry& entry : entries) {
    items.push_back({{"seq", entry.seq},
                     {"prev_hash", hex_encode(entry.prev_hash)},
                     {"entry_hash", hex_encode(entry.entry_hash)},
                     {"canonical_bytes", sdk::base64_encode(entry.canonical_bytes)}});
  }
  return Json{{"items", std::move(items)}}.dump();
}

std::string render_checkpoints(const std::string& origin,
                               const std::vector<StoredCheckpoint>& checkpoints,
                               const std::vector<StoredEpoch>& restores,
                               const ChainBeginning& beginning, const std::string& next_cursor) {
  Json items = Json::array();
  for (const StoredCheckpoint& each : checkpoints) {
    items.push_back({{"size", each.size},
                     {"root_hash", hex_encode(each.root)},
                     {"signed_at", sdk::rfc3339(each.signed_at)},
                     {"key_id", each.key_id},
                     {"verifier_key", sdk::verifier_key(&sha256, {origin, each.public_key})},
                     {"note", each.note}});
  }
  Json out{{"origin", origin}, {"items", std::move(items)}};
  if (const sdk::Beginning& begins = beginning.begins; begins.seq > 0) {
    out["begins"] = {{"seq", begins.seq},
                     {"entry_hash", hex_encode(begins.entry_hash)},
                     {"peaks", hex_list(beginning.peaks)}};
  }
  for (const StoredEpoch& each : restores) {
    out["restores"].push_back(
        {{"epoch", each.epoch},
         {"size_before", each.before_size},
         {"size_after", each.after_size},
         {"declared_at", sdk::rfc3339(each.declared_at)},
         {"key_id", each.key_id},
         {"verifier_key", sdk::verifier_key(&sha256, {origin, each.public_key})},
         {"note", each.note}});
  }
  if (!next_cursor.empty()) {
    out["next_cursor"] = next_cursor;
  }
  return out.dump();
}

std::string render_inclusion(const InclusionProof& proof) {
  return Json{{"origin", proof.origin},
              {"seq", proof.seq},
              {"size", proof.size},
              {"entry_hash", hex_encode(proof.entry_hash)},
              {"root_hash", hex_encode(proof.root)},
              {"hashes", hex_list(proof.hashes)}}
      .dump();
}

std::string render_consistency(const ConsistencyProof& proof) {
  return Json{{"origin", proof.origin},
              {"from", proof.from},
              {"to", proof.to},
              {"from_root_hash", hex_encode(proof.from_root)},
              {"to_root_hash", hex_encode(proof.to_root)},
              {"hashes", hex_list(proof.hashes)}}
      .dump();
}

}  // namespace plexsphere::audit
