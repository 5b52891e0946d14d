// Every reason for which a plugin is not let in, each with its own bad plugin.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "rig.hpp"

namespace plexsphere::host::loader {
namespace {

const std::string kRoutes = "[capabilities]\nroutes = true\n";

std::string route(const std::string& path, const std::string& code) {
  return "[[routes]]\nmethod = \"GET\"\npath = \"" + path + "\"\ndisabled_code = \"" + code +
         "\"\n";
}

// Installs and enables one plugin, checks that it was rejected, and returns why.
std::string refusal_of(const std::string& id) {
  Rig rig;
  rig.install(id, kRoutes + route("/v1/" + id, "test_not_provisioned"));
  REQUIRE(rig.run({id}).ok());  // it is not essential
  const std::string state = rig.state_of(id);
  CHECK(state.rfind("rejected: ", 0) == 0);
  CHECK(rig.log().contains("plugin.refused"));
  CHECK(rig.get("/v1/" + id).status == 501);
  CHECK(rig.metrics().render().find("plexsphere_plugin_state{plugin=\"" + id +
                                    "\",state=\"rejected\"} 1") != std::string::npos);
  return state;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("another ABI major is refused with both values and the remedy", "[loader]") {
  const auto why = refusal_of("wrong_major");
  CHECK(has(why, "speaks ABI 2.0, this host 1.0"));
  CHECK(has(why, "install the build of the plugin for ABI 1"));
}

TEST_CASE("a newer ABI minor is refused with both values and the remedy", "[loader]") {
  const auto why = refusal_of("newer_minor");
  CHECK(has(why, "needs ABI 1.1, this host has 1.0"));
  CHECK(has(why, "upgrade plexsphere"));
}

TEST_CASE("a plugin without a note is refused", "[loader]") {
  CHECK(has(refusal_of("missing_note"), "has no plexsphere note: rebuild it"));
}

TEST_CASE("a plugin without the one symbol is refused", "[loader]") {
  CHECK(has(refusal_of("missing_symbol"), "does not export plexsphere_plugin_v1"));
}

TEST_CASE("a plugin that exports more than the one symbol is refused", "[loader]") {
  CHECK(has(refusal_of("two_exports"), "exports more than plexsphere_plugin_v1 (one_too_many)"));
}

TEST_CASE("a plugin under another's name is refused", "[loader]") {
  CHECK(has(refusal_of("wrong_id"), "says it is plugin 'somebody_else'"));
}

TEST_CASE("a plugin without a table is refused", "[loader]") {
  CHECK(has(refusal_of("null_table"), "returns an incomplete table"));
}

TEST_CASE("nothing of a plugin refused by its note or symbols has run", "[loader]") {
  for (const char* id : {"wrong_major", "newer_minor", "missing_note", "missing_symbol",
                         "two_exports", "wrong_id"}) {
    refusal_of(id);
  }
  CHECK(std::getenv("PLEXSPHERE_TEST_REFUSED_PLUGIN_RAN") == nullptr);
}

TEST_CASE("a file that others may write is refused", "[loader]") {
  Rig rig;
  rig.install("good");
  const auto file = rig.plugins() / "good" / "good.so";
  REQUIRE(::chmod(file.c_str(), 0664) == 0);
  REQUIRE(rig.run({"good"}).ok());
  CHECK(has(rig.state_of("good"), "may be written by others than its owner: chmod go-w"));
}

TEST_CASE("a directory that others may write is refused", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(::chmod((rig.plugins() / "good").c_str(), 0777) == 0);
  REQUIRE(rig.run({"good"}).ok());
  CHECK(has(rig.state_of("good"), "good' may be written by others"));
}

TEST_CASE("a symbolic link in place of the file or the directory is refused", "[loader]") {
  Rig rig;
  rig.install("good");
  const auto file = rig.plugins() / "good" / "good.so";
  const auto real = rig.plugins() / "good" / "real.so";
  std::filesystem::rename(file, real);
  std::filesystem::create_symlink(real, file);
  REQUIRE(rig.run({"good"}).ok());
  CHECK(has(rig.state_of("good"), "is a symbolic link"));

  Rig other;
  other.install("good");
  std::filesystem::rename(other.plugins() / "good", other.plugins().parent_path() / "elsewhere");
  std::filesystem::create_directory_symlink(other.plugins().parent_path() / "elsewhere",
                                            other.plugins() / "good");
  REQUIRE(other.run({"good"}).ok());
  CHECK(has(other.state_of("good"), "is a symbolic link"));
}

TEST_CASE("a file of a user who is not trusted is refused", "[loader]") {
  if (::geteuid() != 0) {
    WARN("needs root to give a file away");
    return;
  }
  Rig rig;
  rig.install("good");
  REQUIRE(::chown((rig.plugins() / "good" / "good.so").c_str(), 65534, 65534) == 0);
  REQUIRE(rig.run({"good"}).ok());
  CHECK(has(rig.state_of("good"), "belongs to user 65534, not to root"));
}

TEST_CASE("a file that is no shared object is refused", "[loader]") {
  for (const std::string& content : {std::string(), std::string("#!/bin/sh\n"),
                                     std::string("\x7f") + "ELF" + std::string(200, '\xff')}) {
    Rig rig;
    rig.install("good");
    const auto file = rig.plugins() / "good" / "good.so";
    std::filesystem::remove(file);
    std::ofstream(file) << content;
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    REQUIRE(rig.run({"good"}).ok());
    CHECK(has(rig.state_of("good"), "no well-formed ELF-64 shared object"));
  }
}

TEST_CASE("a truncated plugin is refused, wherever it is cut", "[loader]") {
  Rig source;
  source.install("good");
  const auto whole = test_support::read_file(source.plugins() / "good" / "good.so");
  for (const std::size_t size :
       {std::size_t{63}, std::size_t{64}, whole.size() / 2, whole.size() - 1}) {
    Rig rig;
    rig.install("good");
    const auto file = rig.plugins() / "good" / "good.so";
    std::filesystem::resize_file(file, size);
    REQUIRE(rig.run({"good"}).ok());
    CHECK(rig.state_of("good").rfind("rejected: ", 0) == 0);
  }
}

TEST_CASE("a bad manifest is refused with its line", "[loader]") {
  Rig rig;
  rig.install_manifest("broken", "[surprise]\n");
  REQUIRE(rig.run({}).ok());
  CHECK(has(rig.state_of("broken"), "plugin.toml:6: a manifest has no 'surprise'"));
}

TEST_CASE("a process with an allow-list refuses every other plugin and logs it", "[loader]") {
  Rig rig;
  rig.install("good");
  CHECK(rig.discover("", {}, {"signing"}).empty());
  CHECK(has(rig.state_of("good"), "rejected: this process loads only 'signing'"));
  CHECK(rig.log().contains("not_allowed"));
  REQUIRE(rig.start().ok());
  CHECK(rig.get("/v1/good/hello").status == 404);

  Rig enabled;
  enabled.install("good");
  CHECK(has(enabled.discover("[context.good]\nenabled = true\n", {}, {"signing"}),
            ":1: [context.good] cannot be enabled here"));
}

TEST_CASE("an essential plugin that is refused fails the start", "[loader]") {
  Rig rig;
  rig.install("missing_note");
  const auto status = rig.run({"missing_note"}, {"missing_note"});
  REQUIRE_FALSE(status.ok());
  CHECK(has(status.message(), "essential plugin 'missing_note' does not run"));
}

}  // namespace
}  // namespace plexsphere::host::loader
