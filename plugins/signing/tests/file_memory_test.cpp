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

TEST_CASE("a directory that cannot be had is named", "[signing]") {
  const test_support::TempDir directory;
  const std::string path = directory.write("file", "").string() + "/state";
  const auto memory = FileMemory::open(path, PublicKey{});
  REQUIRE_FALSE(memory.ok());
  CHECK(memory.fault().cause.starts_with(path));
}

}  // namespace
}  // namespace plexsphere::signing
