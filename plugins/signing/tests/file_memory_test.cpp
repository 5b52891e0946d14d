#include "store/file_memory.hpp"

#include <filesystem>
#include <fstream>

#include "signer_fixture.hpp"

namespace plexsphere::signing {
namespace {

SignedDocument document(std::string text) {
  SignedDocument out;
  out.document = std::move(text);
  out.signature.fill(0x5a);
  out.document_key.fill(0x01);
  return out;
}

struct Place {
  test_support::TempDir directory;
  std::string path = (directory.path() / "state").string();
  [[nodiscard]] Outcome<std::unique_ptr<FileMemory>> open() const {
    return FileMemory::open(path, document("").document_key);
  }
};

const Scope kScope = Scope::parse(testing::kDomain).value();

TEST_CASE("what is remembered is recalled by the next process", "[signing]") {
  const Place place;
  {
    const auto memory = place.open().value();
    CHECK_FALSE(memory->recall(kScope).value());
    CHECK(memory->remember(kScope, document("first\n")).ok());
    CHECK(memory->remember(kScope, document("second\n")).ok());
  }
  const auto memory = place.open().value();
  CHECK(*memory->recall(kScope).value() == document("second\n"));
  CHECK_FALSE(memory->recall(Scope::parse("platform").value()).value());
}

TEST_CASE("one directory belongs to one signer", "[signing]") {
  const Place place;
  const auto first = place.open().value();
  CHECK(place.open().fault().cause == place.path + ": another signer holds it");
}

TEST_CASE("a half-written replacement leaves the old key set", "[signing]") {
  const Place place;
  const auto memory = place.open().value();
  REQUIRE(memory->remember(kScope, document("kept\n")).ok());
  std::string name = kScope.text();
  name[name.find(':')] = '-';
  std::ofstream(place.path + "/" + name + ".keyset.new") << "torn";
  CHECK(memory->recall(kScope).value()->document == "kept\n");
}

TEST_CASE("a damaged file is an error, not an empty memory", "[signing]") {
  const Place place;
  const auto memory = place.open().value();
  REQUIRE(memory->remember(kScope, document("kept\n")).ok());
  for (const auto& entry : std::filesystem::directory_iterator(place.path)) {
    if (entry.path().extension() == ".keyset") {
      std::ofstream(entry.path()) << "torn";
    }
  }
  CHECK(memory->recall(kScope).fault().kind == FaultKind::kInternal);
}

TEST_CASE("a checkpoint is recalled by the next process, and a changed one by none", "[signing]") {
  const Place place;
  const std::string root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
  const Scope other = Scope::parse(testing::kOtherDomain).value();
  const SeenCheckpoint seen = GENERATE_COPY(SeenCheckpoint{20852163, root},
                                            SeenCheckpoint{20852163, root, 2, std::string(64, 'a')},
                                            SeenCheckpoint{20852163, root, 3, ""});
  {
    const auto memory = place.open().value();
    CHECK_FALSE(memory->recall_checkpoint(kScope).value());
    CHECK(memory->remember_checkpoint(kScope, {0, ""}).ok());
    CHECK(memory->recall_checkpoint(kScope).value() == SeenCheckpoint{0, ""});
    CHECK(memory->remember_checkpoint(kScope, seen).ok());
  }
  const auto memory = place.open().value();
  CHECK(memory->recall_checkpoint(kScope).value() == seen);
  CHECK_FALSE(memory->recall_checkpoint(other).value());

  std::string name = kScope.text();
  name[name.find(':')] = '-';
  const std::filesystem::path file = place.path + "/" + name + ".checkpoint";
  std::ifstream in(file);
  const std::string line((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string changed = line;
    changed[at] ^= 1;
    std::ofstream(file) << changed;
    CAPTURE(changed);
    CHECK(memory->recall_checkpoint(kScope).fault().cause == file.string() + ": damaged");
  }
  std::ofstream(file) << "";
  CHECK_FALSE(memory->recall_checkpoint(kScope).ok());
  // Another scope's, put in its place.
  REQUIRE(memory->remember_checkpoint(other, {1, root}).ok());
  std::string other_name = other.text();
  other_name[other_name.find(':')] = '-';
  std::filesystem::rename(place.path + "/" + other_name + ".checkpoint", file);
  CHECK_FALSE(memory->recall_checkpoint(kScope).ok());
}

TEST_CASE("a directory that cannot be had is named", "[signing]") {
  const test_support::TempDir directory;
  const std::string path = directory.write("file", "").string() + "/state";
  const auto memory = FileMemory::open(path, PublicKey{});
  REQUIRE_FALSE(memory.ok());
  CHECK(memory.fault().cause.starts_with(path));
}

}  // namespace
}  // namespace plexsphere::signing
