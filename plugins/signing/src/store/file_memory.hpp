// The signer's memory in a directory: a file of each kind per scope, replaced atomically.
//
// A `.keyset` file holds the signature in hexadecimal on its first line and the document after it.
// A `.checkpoint` file is one line, `size root check`, where root is "-" before the first
// checkpoint and check is the SHA-256 of "<scope> <size> <root>" in hexadecimal: a file that was
// changed, or is another scope's, is damaged. After a restore it is `size root epoch restore
// check`, over as much; then `.restored-<epoch>` holds the statement. A `.restore` file holds the
// statement that the operator permits and the signer has not yet been asked for. They are written
// beside their place, flushed, renamed over it, and the directory is flushed, so a crash leaves the
// old or the new one. The directory is held by a lock while this object lives: two signers on one
// memory would each think the other's steps a replay.
//
// Thread safety: one call of each kind at a time. Ownership: holds the directory's lock.
#pragma once

#include <memory>
#include <string>

#include "app/key_set_memory.hpp"
#include "store/file_io.hpp"

namespace plexsphere::signing {

class FileMemory final : public KeySetMemory {
 public:
  // Creates the directory with mode 0700 if it is absent. `document_key` completes what is
  // recalled. Faults: internal, naming the path and the reason, among them another process holding
  // it.
  static Outcome<std::unique_ptr<FileMemory>> open(const std::string& directory,
                                                   const PublicKey& document_key);
  ~FileMemory() override;

  Outcome<std::optional<SignedDocument>> recall(const Scope& scope) override;
  Outcome<Done> remember(const Scope& scope, const SignedDocument& document) override;
  Outcome<std::optional<SeenCheckpoint>> recall_checkpoint(const Scope& scope) override;
  Outcome<Done> remember_checkpoint(const Scope& scope, const SeenCheckpoint& checkpoint) override;
  Outcome<std::optional<std::string>> restore_permit(const Scope& scope) override;
  Outcome<Done> keep_restore(const Scope& scope, std::uint64_t epoch,
                             std::string_view statement) override;

 private:
  FileMemory(int directory_fd, int lock_fd, std::string path, PublicKey document_key);

  const Directory directory_;
  const int lock_fd_;
  const PublicKey document_key_;
};

}  // namespace plexsphere::signing
