// Published vectors, and for algorithms that have none, signatures made here with fresh keys.
#include "host/verify/signature.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::host::verify {
namespace {

std::string decoded(std::string_view base64url) {
  return sdk::base64url_decode(base64url).value();
}
Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Key {
  px_key_type type;
  std::string a;
  std::string b;
};

Outcome check(std::string_view algorithm, const Key& key, const std::string& message,
              const std::string& signature) {
  return check_signature(algorithm, key.type, bytes_of(key.a), bytes_of(key.b), bytes_of(message),
                         bytes_of(signature));
}

struct Vector {
  const char* source;
  const char* algorithm;
  px_key_type type;
  const char* a;
  const char* b;
  const char* message;  // the JWS signing input
  const char* signature;
};

constexpr const char* kHobbitPayload =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250"
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl"
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
constexpr const char* kHobbitModulus =
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmS"
    "CpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-Of"
    "VfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKw"
    "uCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";

const std::array kVectors{
    Vector{
        "RFC 7515 A.2", "RS256", PX_KEY_RSA,
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"
        "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX"
        "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"
        "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "AQAB",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        "LmNvbS9pc19yb290Ijp0cnVlfQ",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
        "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
        "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
        "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    Vector{
        "RFC 7515 A.3", "ES256", PX_KEY_P256, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        "LmNvbS9pc19yb290Ijp0cnVlfQ",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    Vector{
        "RFC 7515 A.4", "ES512", PX_KEY_P521,
        "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
        "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xdt"
        "AG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
    Vector{
        "RFC 8037 A.4", "EdDSA", PX_KEY_ED25519, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
    Vector{
        "RFC 7520 4.1", "RS256", PX_KEY_RSA, kHobbitModulus, "AQAB",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83"
        "xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJ"
        "Dt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12"
        "podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"},
    Vector{
        "RFC 7520 4.2", "PS384", PX_KEY_RSA, kHobbitModulus, "AQAB",
        "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6"
        "O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqi"
        "VJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_"
        "jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"},
    Vector{
        "RFC 7520 4.3", "ES512", PX_KEY_P521,
        "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt",
        "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1",
        "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJ"
        "AQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"},
};

// The vectors of RFC 7520 share one payload; those of the others carry theirs.
std::string message_of(const Vector& vector) {
  const std::string message = vector.message;
  return message.find('.') == std::string::npos ? message + "." + kHobbitPayload : message;
}
Key key_of(const Vector& vector) {
  return {vector.type, decoded(vector.a), decoded(vector.b)};
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string number_of(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  std::string out(static_cast<std::size_t>(size == 0 ? BN_num_bytes(number) : size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  BN_free(number);
  return out;
}

std::string sign(EVP_PKEY* key, const char* digest, bool pss, const std::string& message) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  REQUIRE(EVP_DigestSignInit_ex(context.get(), &options, digest, nullptr, nullptr, key, nullptr) ==
          1);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 1024;
  std::string out(size, '\0');
  REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                         reinterpret_cast<const unsigned char*>(message.data()),
                         message.size()) == 1);
  out.resize(size);
  return out;
}

std::string raw(const std::string& der, int half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  REQUIRE(pair != nullptr);
  std::string out(static_cast<std::size_t>(2 * half), '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + half, half);
  ECDSA_SIG_free(pair);
  return out;
}

Key rsa_key(EVP_PKEY* key) {
  return {PX_KEY_RSA, number_of(key, OSSL_PKEY_PARAM_RSA_N, 0),
          number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)};
}

}  // namespace

TEST_CASE("the published signatures verify, and no altered one does", "[verify]") {
  for (const Vector& vector : kVectors) {
    INFO(vector.source);
    const Key key = key_of(vector);
    const std::string message = message_of(vector);
    std::string signature = decoded(vector.signature);
    CHECK(check(vector.algorithm, key, message, signature) == Outcome::kValid);
    CHECK(check(vector.algorithm, key, message + " ", signature) == Outcome::kInvalid);
    CHECK(check(vector.algorithm, key, message, signature + "x") == Outcome::kInvalid);
    CHECK(check(vector.algorithm, key, message, "") == Outcome::kInvalid);
    signature[signature.size() / 2] = static_cast<char>(signature[signature.size() / 2] ^ 1);
    CHECK(check(vector.algorithm, key, message, signature) == Outcome::kInvalid);
  }
}

TEST_CASE("P-384 and every RSA algorithm verify what OpenSSL signs", "[verify]") {
  const std::string message = "header.payload";
  const PublicKey curve(EVP_EC_gen("P-384"));
  const Key p384{PX_KEY_P384, number_of(curve.get(), OSSL_PKEY_PARAM_EC_PUB_X, 48),
                 number_of(curve.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 48)};
  const std::string signature = raw(sign(curve.get(), "SHA384", false, message), 48);
  CHECK(check("ES384", p384, message, signature) == Outcome::kValid);
  CHECK(check("ES384", p384, "another", signature) == Outcome::kInvalid);

  const PublicKey pair(EVP_RSA_gen(2048));
  const Key rsa = rsa_key(pair.get());
  for (const std::string size : {"256", "384", "512"}) {
    const std::string digest = "SHA" + size;
    CHECK(check("RS" + size, rsa, message, sign(pair.get(), digest.c_str(), false, message)) ==
          Outcome::kValid);
    CHECK(check("PS" + size, rsa, message, sign(pair.get(), digest.c_str(), true, message)) ==
          Outcome::kValid);
    CHECK(check("PS" + size, rsa, message, sign(pair.get(), digest.c_str(), false, message)) ==
          Outcome::kInvalid);
  }
}

TEST_CASE("a key serves the algorithms of its type only", "[verify]") {
  const Key p256 = key_of(kVectors[1]);
  const std::string message = message_of(kVectors[1]);
  const std::string signature = decoded(kVectors[1].signature);
  for (const char* other : {"RS256", "PS256", "ES384", "ES512", "EdDSA"}) {
    CHECK(check(other, p256, message, signature) == Outcome::kKeyInvalid);
  }
  for (const char* unknown : {"none", "HS256", "es256", "", "ES256K"}) {
    CHECK(check(unknown, p256, message, signature) == Outcome::kAlgorithmUnknown);
  }
}

TEST_CASE("keys outside the bounds are refused before anything is computed", "[verify]") {
  const Key rsa = key_of(kVectors[0]);
  const std::string message = message_of(kVectors[0]);
  const std::string signature = decoded(kVectors[0].signature);
  const auto refused = [&](const char* algorithm, const Key& key) {
    return check(algorithm, key, message, signature) == Outcome::kKeyInvalid;
  };
  const PublicKey small(EVP_RSA_gen(1024));
  CHECK(refused("RS256", rsa_key(small.get())));
  CHECK(refused("RS256", {PX_KEY_RSA, std::string(1025, '\x7f'), rsa.b}));
  CHECK(refused("RS256", {PX_KEY_RSA, rsa.a, std::string("\x01", 1)}));
  CHECK(refused("RS256", {PX_KEY_RSA, rsa.a, std::string("\x01\x00\x00", 3)}));
  CHECK(refused("RS256", {PX_KEY_RSA, rsa.a, std::string(5, '\x01')}));
  CHECK(refused("RS256", {PX_KEY_RSA, "", ""}));

  Key point = key_of(kVectors[1]);
  point.b.back() = static_cast<char>(point.b.back() ^ 1);
  CHECK(refused("ES256", point));  // not on the curve
  point.b.pop_back();
  CHECK(refused("ES256", point));
  CHECK(refused("EdDSA", {PX_KEY_ED25519, std::string(31, 'k'), ""}));
  CHECK(refused("EdDSA", {PX_KEY_ED25519, std::string(32, 'k'), "more"}));
}

}  // namespace plexsphere::host::verify
