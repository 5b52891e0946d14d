// The text of checkpoints and notes: one spelling each, and what is refused.
#include "plexsphere/sdk/checkpoint.hpp"

#include <sodium.h>

#include <catch2/catch.hpp>

#include "plexsphere/sdk/restore_statement.hpp"

namespace sdk = plexsphere::sdk;

namespace {

constexpr std::string_view kRoot = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
const std::string kOrigin = "plexsphere/audit/platform";
const std::string kBody = kOrigin + "\n20852\n" + std::string(kRoot) + "\n";

std::string sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

}  // namespace

TEST_CASE("a checkpoint is origin, size and root, and reads back", "[sdk][checkpoint]") {
  CHECK(sdk::checkpoint::origin_of("platform") == kOrigin);
  const sdk::Checkpoint made{kOrigin, 20852, *sdk::base64_decode(kRoot)};
  CHECK(sdk::checkpoint_text(made) == kBody);
  const auto read = sdk::parse_checkpoint(kBody);
  REQUIRE(read);
  CHECK(read->origin == made.origin);
  CHECK(read->size == made.size);
  CHECK(read->root == made.root);
  CHECK(sdk::parse_checkpoint(kOrigin + "\n0\n" + std::string(kRoot) + "\n")->size == 0);
}

TEST_CASE("a checkpoint names its epoch from the second on, and what it begins after",
          "[sdk][checkpoint]") {
  sdk::Checkpoint made{kOrigin, 20852, *sdk::base64_decode(kRoot)};
  made.epoch = 2;
  CHECK(sdk::checkpoint_text(made) == kBody + "epoch 2\n");
  CHECK(sdk::parse_checkpoint(kBody + "epoch 2\n")->epoch == 2);
  const std::string begins = "begins 512 " + std::string(kRoot) + "\n";
  made.begins = {512, *sdk::base64_decode(kRoot)};
  CHECK(sdk::checkpoint_text(made) == kBody + "epoch 2\n" + begins);
  CHECK(sdk::parse_checkpoint(kBody + "epoch 2\n" + begins)->begins == made.begins);
  CHECK(sdk::parse_checkpoint(kBody + begins)->epoch == 1);
  CHECK(sdk::parse_checkpoint(kBody)->begins == sdk::Beginning{});
  for (const std::string& bad :
       {std::string("epoch 1\n"), std::string("epoch 02\n"), std::string("epoch \n"),
        std::string("epoch 2"), begins + "epoch 2\n", begins + begins, std::string("begins 512\n"),
        "begins 0 " + std::string(kRoot) + "\n", "begins 20853 " + std::string(kRoot) + "\n",
        std::string("begins 512 AAAA\n"), begins + "x\n"}) {
    INFO(bad);
    CHECK_FALSE(sdk::parse_checkpoint(kBody + bad));
  }
}

TEST_CASE("a restore statement is seven lines, and reads back", "[sdk][checkpoint]") {
  const std::string root(kRoot);
  const std::string text = kOrigin + "\nrestored\nepoch 2\nbefore 500 " + root + "\nafter 100 " +
                           root + "\ndeclared 1767225600\nreason nightly backup\n";
  const sdk::TreeHead before{500, *sdk::base64_decode(kRoot)};
  const sdk::TreeHead after{100, *sdk::base64_decode(kRoot)};
  CHECK(sdk::restore_text({kOrigin, 2, before, after, 1767225600, "nightly backup"}) == text);
  const auto read = sdk::parse_restore(text);
  REQUIRE(read);
  CHECK(read->origin == kOrigin);
  CHECK(read->epoch == 2);
  CHECK(read->before == before);
  CHECK(read->after == after);
  CHECK(read->declared_at == 1767225600);
  CHECK(read->reason == "nightly backup");
  CHECK_FALSE(sdk::parse_checkpoint(text));
  CHECK_FALSE(sdk::parse_restore(kBody));
  const auto changed = [&](const std::string& what, const std::string& by) {
    std::string out = text;
    return out.replace(out.find(what), what.size(), by);
  };
  for (const std::string& bad :
       {std::string(), changed("restored\n", ""), changed("epoch 2", "epoch 1"),
        changed("before 500", "before 99"), changed("after 100", "after 0100"),
        changed("after 100", "after 100 "), changed("declared ", "declared"),
        changed("nightly backup", ""), changed("nightly backup", "x "),
        changed("nightly backup", std::string(201, 'x')), changed("nightly", "n\xc3\xa4"),
        text + "x\n", text.substr(0, text.size() - 1)}) {
    INFO(bad);
    CHECK_FALSE(sdk::parse_restore(bad));
  }
}

TEST_CASE("what is spelled otherwise is no checkpoint", "[sdk][checkpoint]") {
  const std::string root = std::string(kRoot) + "\n";
  for (const std::string& bad :
       {std::string(), kOrigin + "\n", kOrigin + "\n1\n", kBody.substr(0, kBody.size() - 1),
        "\n1\n" + root, "an origin\n1\n" + root, "o+o\n1\n" + root, kOrigin + "\n01\n" + root,
        kOrigin + "\n-1\n" + root, kOrigin + "\n\n" + root, kOrigin + "\n1 \n" + root,
        kOrigin + "\n1\r\n" + root, kOrigin + "\n1234567890123456789\n" + root,
        kOrigin + "\n1\nshort\n", kOrigin + "\n1\nAAAA\n", kBody + "extension\n", kBody + "\n"}) {
    INFO(bad);
    CHECK_FALSE(sdk::parse_checkpoint(bad));
  }
}

// The key, its id and its text are the example of C2SP's signed-note page.
TEST_CASE("a key's id and its text are those of signed-note", "[sdk][checkpoint]") {
  const std::string text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const auto key = sdk::parse_verifier_key(&sha256, text);
  REQUIRE(key);
  CHECK(key->name == "PeterNeumann");
  CHECK(sdk::hex_encode(sdk::note_key_id(&sha256, *key)) == "c74f20a3");
  CHECK(sdk::verifier_key(&sha256, *key) == text);
  for (const char* bad : {"", "PeterNeumann", "PeterNeumann+c74f20a3",
                          "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumanN+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                          "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a+b+AQ=="}) {
    INFO(bad);
    CHECK_FALSE(sdk::parse_verifier_key(&sha256, bad));
  }
}

TEST_CASE("a signed note reads back, and its signature is found by the key alone",
          "[sdk][checkpoint]") {
  const sdk::NoteKey key{kOrigin, std::string(32, 'k')};
  const sdk::NoteKey other{kOrigin, std::string(32, 'o')};
  const std::string signature(64, 's');
  const std::string note = sdk::note_text(
      {kBody, {{kOrigin, sdk::note_key_id(&sha256, key), signature}, {"else", "1234", "x"}}});
  CHECK(note.starts_with(kBody + "\n\xe2\x80\x94 " + kOrigin + " "));
  const auto read = sdk::parse_note(note);
  REQUIRE(read);
  CHECK(read->text == kBody);
  CHECK(read->signatures.size() == 2);
  CHECK(sdk::note_text(*read) == note);
  REQUIRE(sdk::signature_by(&sha256, *read, key) != nullptr);
  CHECK(sdk::signature_by(&sha256, *read, key)->signature == signature);
  CHECK(sdk::signature_by(&sha256, *read, other) == nullptr);
}

TEST_CASE("what is spelled otherwise is no note", "[sdk][checkpoint]") {
  const std::string line = "\xe2\x80\x94 name MTIzNHNpZ25hdHVyZQ==\n";
  REQUIRE(sdk::parse_note(kBody + "\n" + line));
  std::string many;
  for (int i = 0; i < 17; ++i) {
    many += line;
  }
  for (const std::string& bad :
       {std::string(), kBody, kBody + "\n", kBody + line, kBody + "\n" + many,
        kBody + "\n" + line.substr(0, line.size() - 1), kBody + "\n- name MTIzNHNpZw==\n",
        kBody + "\n\xe2\x80\x94 name\n", kBody + "\n\xe2\x80\x94 name MTIz\n",
        kBody + "\n\xe2\x80\x94 name  MTIzNHNpZw==\n",
        kBody + "\n\xe2\x80\x94 na+me MTIzNHNpZw==\n", kBody + "\n" + line + "\n",
        kBody + "\n" + line + "more\n", std::string(64 * 1024, 'x') + "\n\n" + line}) {
    INFO(bad.substr(0, 200));
    CHECK_FALSE(sdk::parse_note(bad));
  }
}
