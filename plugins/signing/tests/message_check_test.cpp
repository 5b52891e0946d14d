#include "domain/message_check.hpp"

#include <sodium.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace plexsphere::signing {
namespace {

// Canonical texts whose signatures were made by an independent implementation, with the key of the
// seed 00..1f.
struct Vector {
  std::string_view canonical;
  std::string_view signature;
};
constexpr std::string_view kVectorKey = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
constexpr Vector kVectors[] = {
    {R"({"id":"evt-1","type":"node_state_updated","scope":"node:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3","key_id":"k-2026-01","issued_at":"2026-01-15T10:30:00Z","payload":{"b":1,"a":[1.50,2e3]}})",
     "dGyQdpQcLL7Aw9Y6ibXj65c7Ivs4qy0nM9T9GDExJ8TKG9NyG15W/jhFyZPzVWkKHGTQl81se4fi4iZCB1+WBA=="},
    {R"({"id":"n","type":"t","scope":"","key_id":"","issued_at":"2026-01-15T12:30:00Z","payload":null})",
     "vAZrynVuCsqNqY4UJo4jeMfZTtU8oy7j3xsDLqTLQ8tDVvqpfd1DMLNDG+3huquiVJ6MtjGADUQEJyTw0NX/BA=="},
    {R"({"id":"n","type":"t","scope":"","key_id":"","issued_at":"2026-01-15T12:30:00+02:00","payload":null})",
     "z2ESnxt9NZZY2CoPNaQiGPcrySJu5u0oEqdY96hbnuNhMEXkkiJgcOKcCJ2hrHUqi1H9tCuMx0d+Hq4ek8QkCw=="},
};

template <std::size_t N>
std::array<unsigned char, N> from_base64(std::string_view text) {
  std::array<unsigned char, N> out{};
  std::size_t size = 0;
  REQUIRE(sodium_base642bin(out.data(), N, text.data(), text.size(), nullptr, &size, nullptr,
                            sodium_base64_VARIANT_ORIGINAL) == 0);
  REQUIRE(size == N);
  return out;
}

std::string event(std::string_view issued_at, std::string_view payload, std::string_view id = "e") {
  return R"({"id":")" + std::string(id) + R"(","type":"t","scope":"s","key_id":"k","issued_at":")" +
         std::string(issued_at) + R"(","payload":)" + std::string(payload) + "}";
}

std::string with_payload(std::string_view payload) {
  return event("2026-01-15T10:30:00Z", payload);
}

bool accepted(const std::string& bytes) {
  return check_event(bytes).ok();
}

TEST_CASE("the published vectors are accepted as events and verify", "[signing]") {
  REQUIRE(sodium_init() >= 0);
  const auto key = from_base64<32>(kVectorKey);
  for (const Vector& vector : kVectors) {
    INFO(vector.canonical);
    CHECK(check_event(vector.canonical).ok());
    const auto signature = from_base64<64>(vector.signature);
    CHECK(crypto_sign_verify_detached(
              signature.data(), reinterpret_cast<const unsigned char*>(vector.canonical.data()),
              vector.canonical.size(), key.data()) == 0);
  }
  CHECK(check_event(kVectors[0].canonical).value().key_id == "k-2026-01");
}

TEST_CASE("the members of an envelope stand in order, complete, once, without space", "[signing]") {
  const std::string good = with_payload("{}");
  REQUIRE(accepted(good));
  const auto with = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("null"), good + "\n", " " + good,
        good.substr(0, good.size() - 1), good + "}", with("\"id\":", "\"id\": "),
        with("\"type\":\"t\",", ""), with("\"id\"", "\"event_id\""),
        with("{\"id\":\"e\",\"type\":\"t\"", "{\"type\":\"t\",\"id\":\"e\""),
        with("\"payload\":{}", "\"payload\":{},\"signature\":\"\""),
        with("\"payload\":{}", "\"nonce\":\"\",\"payload\":{}"),
        with("\"id\":\"e\"", "\"id\":\"\""), with("\"type\":\"t\"", "\"type\":\"\""),
        with("\"id\":\"e\"", "\"id\":7"), with(",\"payload\":{}", "")}) {
    INFO(bad);
    CHECK_FALSE(accepted(bad));
  }
}

TEST_CASE("issued_at has one spelling", "[signing]") {
  for (const std::string_view good :
       {"2026-01-15T10:30:00Z", "2026-01-15T10:30:00.12Z", "2026-01-15T10:30:00.123456789Z",
        "2024-02-29T23:59:59-11:30"}) {
    INFO(good);
    CHECK(accepted(event(good, "null")));
  }
  for (const std::string_view bad : {"",
                                     "2026-01-15",
                                     "2026-01-15T10:30:00",
                                     "2026-01-15t10:30:00Z",
                                     "2026-01-15T10:30:00z",
                                     "2026-01-15T10:30:00.Z",
                                     "2026-01-15T10:30:00.120Z",
                                     "2026-01-15T10:30:00.1234567891Z",
                                     "2026-01-15T10:30:00+00:00",
                                     "2026-01-15T10:30:00-00:00",
                                     "2026-13-15T10:30:00Z",
                                     "2026-02-29T10:30:00Z",
                                     "2026-01-15T24:30:00Z",
                                     "2026-01-15T10:60:00Z",
                                     "2026-01-15T10:30:60Z",
                                     "2026-01-15 10:30:00Z",
                                     "2026-01-15T10:30:00+24:00",
                                     "+2026-01-15T10:30:00Z",
                                     "2026-00-15T10:30:00Z",
                                     "2026-01-00T10:30:00Z",
                                     "2026-01-15T10-30:00Z",
                                     "2026-01-15T10:30-00Z",
                                     "-026-01-15T10:30:00Z"}) {
    INFO(bad);
    CHECK_FALSE(accepted(event(bad, "null")));
  }
}

TEST_CASE("header strings are escaped the way Go escapes them and no other", "[signing]") {
  for (const std::string_view good : {R"(a\u003cb\u003e\u0026c)", R"(\"\\\n\r\t)",
                                      R"(\u0000\u001f)", R"(\u2028\u2029)", "\xc3\xa9/\x7f"}) {
    INFO(good);
    CHECK(accepted(event("2026-01-15T10:30:00Z", "null", good)));
  }
  for (const std::string_view bad : {"a<b",          "a>b",
                                     "a&b",          "a\nb",
                                     "a\tb",         R"(\/)",
                                     R"(\b)",        R"(\f)",
                                     R"(\u0008)",    R"(\u000c)",
                                     R"(\u000a)",    R"(\u003C)",
                                     R"(\u0041)",    R"(\u00e9)",
                                     R"(\x)",        R"(\u12)",
                                     "\xe2\x80\xa8", "\xe2\x80\xa9",
                                     "\xff",         "\xc0\xaf",
                                     "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                     "\xc3"}) {
    INFO(bad);
    CHECK_FALSE(accepted(event("2026-01-15T10:30:00Z", "null", bad)));
  }
  CHECK(accepted(event("2026-01-15T10:30:00Z", "null", std::string(256, 'i'))));
  CHECK_FALSE(accepted(event("2026-01-15T10:30:00Z", "null", std::string(257, 'i'))));
}

TEST_CASE("payloads are compact JSON objects with every spelling of number and escape kept",
          "[signing]") {
  for (const std::string_view good :
       {"null", "{}", R"({"z":"\u003c\u0026\u003e\/\u003c\u00e9 é"})",
        R"({"a":[],"b":[1,-0,0.50,2e3,1E+9,1e-9],"c":true,"d":false,"e":null,"f":{"g":"\b\f"}})"}) {
    INFO(good);
    CHECK(accepted(with_payload(good)));
  }
  for (const std::string_view bad : {"",
                                     "1",
                                     "\"x\"",
                                     "[]",
                                     "true",
                                     "{ }",
                                     R"({"a": 1})",
                                     R"({"a":1,})",
                                     R"({"a":01})",
                                     R"({"a":1.})",
                                     R"({"a":.5})",
                                     R"({"a":+1})",
                                     R"({"a":1e})",
                                     R"({"a":NaN})",
                                     R"({"a":-})",
                                     R"({a:1})",
                                     R"({"a"})",
                                     R"({"a":[1,]})",
                                     R"({"a":"<"})",
                                     "{\"a\":\"\xe2\x80\xa8\"}",
                                     "{\"a\":\"\t\"}",
                                     R"({"a":tru})",
                                     "nul",
                                     R"({"a":1)",
                                     R"({"a":"x)"}) {
    INFO(bad);
    CHECK_FALSE(accepted(with_payload(bad)));
  }
}

TEST_CASE("nesting is bounded", "[signing]") {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(accepted(with_payload(nested(64))));
  CHECK_FALSE(accepted(with_payload(nested(65))));
  CHECK_FALSE(accepted(with_payload(nested(20000))));
}

constexpr std::string_view kRoot = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

TEST_CASE("a checkpoint note is origin, size, root and nothing that could be read otherwise",
          "[signing]") {
  const std::string head = "plexsphere.example/audit/platform\n";
  const std::string root = std::string(kRoot) + "\n";
  CHECK(check_checkpoint(head + "0\n" + root).value().origin ==
        "plexsphere.example/audit/platform");
  const std::string largest = head + std::string(18, '9') + "\n" + root;
  CHECK(check_checkpoint(largest).value().size == 999'999'999'999'999'999);
  CHECK(check_checkpoint(largest).value().root == root.substr(0, root.size() - 1));
  CHECK(check_checkpoint(head + "20852163\n" + root + "extension\n").value().epoch == 1);
  CHECK(check_checkpoint(head + "1\n" + root + "epoch 2\n").value().epoch == 2);
  const std::string begins = "begins 512 " + root;
  CHECK(check_checkpoint(head + "513\n" + root + begins).value().epoch == 1);
  CHECK(check_checkpoint(head + "513\n" + root + "epoch 2\n" + begins).value().epoch == 2);
  for (const std::string& bad :
       {head + "511\n" + root + begins, head + "513\n" + root + begins + "epoch 2\n",
        head + "513\n" + root + begins + begins, head + "513\n" + root + "begins 512\n",
        head + "513\n" + root + "x\n" + begins, head + "513\n" + root + "begins 0 " + root}) {
    INFO(bad);
    CHECK_FALSE(check_checkpoint(bad).ok());
  }
  for (const std::string& bad : {std::string(),
                                 head,
                                 head + "1\n",
                                 head + "1\n" + std::string(kRoot),
                                 "\n1\n" + root,
                                 head + "01\n" + root,
                                 head + "-1\n" + root,
                                 head + "\n" + root,
                                 head + "1 \n" + root,
                                 head + "1234567890123456789\n" + root,
                                 head + "1\nshort\n",
                                 head + "1\n" + root + "\n",
                                 head + "1\n" + root + "\n\xe2\x80\x94 name sig\n",
                                 head + "1\r\n" + root,
                                 head + "1\n" + root + "epoch 1\n",
                                 head + "1\n" + root + "epoch 02\n",
                                 head + "1\n" + root + "x\nepoch 2\n",
                                 head + "1\n" + root + "epoch 2\nepoch 3\n",
                                 head + "1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
                                 head + "1\nCsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=\n"}) {
    INFO(bad);
    CHECK_FALSE(check_checkpoint(bad).ok());
  }
}

TEST_CASE("no text reads as both an event and a checkpoint", "[signing]") {
  CHECK_FALSE(check_checkpoint(kVectors[0].canonical).ok());
  CHECK_FALSE(check_event("o/platform\n1\n" + std::string(kRoot) + "\n").ok());
}

TEST_CASE("a message belongs to the scope and key it is signed for", "[signing]") {
  const Scope scope = Scope::parse("domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3").value();
  const auto event_of = [](std::string_view named_scope, std::string_view key_id) {
    return R"({"id":"e","type":"t","scope":")" + std::string(named_scope) + R"(","key_id":")" +
           std::string(key_id) + R"(","issued_at":"2026-01-15T10:30:00Z","payload":{}})";
  };
  const auto kind_of = [&scope](Purpose purpose, const std::string& bytes) {
    return check_message(purpose, bytes, scope, "k1").fault().kind;
  };
  CHECK(check_message(Purpose::kEvents, event_of(scope.text(), "k1"), scope, "k1").ok());
  CHECK(check_message(Purpose::kEvents, event_of("node:1", "k1"), scope, "k1").ok());
  CHECK(kind_of(Purpose::kEvents, event_of(scope.text(), "k2")) == FaultKind::kInvariantViolation);
  CHECK(kind_of(Purpose::kEvents, event_of("domain:other", "k1")) == FaultKind::kScopeMismatch);
  CHECK(kind_of(Purpose::kEvents, event_of("platform", "k1")) == FaultKind::kScopeMismatch);

  const auto note = [](const std::string& origin) {
    return origin + "\n1\n" + std::string(kRoot) + "\n";
  };
  CHECK(check_message(Purpose::kCheckpoints, note("x/audit/" + scope.text()), scope, "k1").ok());
  CHECK(kind_of(Purpose::kCheckpoints, note("x/audit/platform")) == FaultKind::kScopeMismatch);
  CHECK(kind_of(Purpose::kCheckpoints, event_of("s", "k1")) == FaultKind::kInvariantViolation);

  const std::string long_text(kMaxMessageBytes, 'x');
  CHECK(kind_of(Purpose::kEvents, with_payload("{\"a\":\"" + long_text + "\"}")) ==
        FaultKind::kInvariantViolation);
}

}  // namespace
}  // namespace plexsphere::signing
