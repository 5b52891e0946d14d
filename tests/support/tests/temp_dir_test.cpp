#include "support/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <utility>

namespace fs = std::filesystem;
using plexsphere::test_support::read_file;
using plexsphere::test_support::TempDir;

TEST_CASE("a temporary directory is private and vanishes with its contents", "[support]") {
  fs::path path;
  {
    const TempDir directory;
    path = directory.path();
    CHECK(fs::status(path).permissions() == fs::perms::owner_all);
    CHECK(read_file(directory.write("deep/file.txt", "text")) == "text");
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("moving a temporary directory moves the duty to remove it", "[support]") {
  fs::path path;
  {
    TempDir first;
    path = first.path();
    { const TempDir second(std::move(first)); }
    CHECK_FALSE(fs::exists(path));
  }
}

TEST_CASE("reading a file that is not there gives nothing", "[support]") {
  CHECK(read_file("/nonexistent/file").empty());
}
