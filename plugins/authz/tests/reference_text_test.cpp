#include "domain/reference_text.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace plexsphere::authz {

TEST_CASE("objects and subjects are read in the contract's form", "[authz]") {
  CHECK(parse_object("domain:0190-a") == Object{"domain", "0190-a"});
  CHECK(parse_subject("user:u") == Subject{{"user", "u"}});
  CHECK(parse_subject("group:g#member") == Subject{{"group", "g"}, "member"});
}

TEST_CASE("serviceaccount is another spelling of service-identity", "[authz]") {
  CHECK(parse_subject("serviceaccount:s") == Subject{{"service-identity", "s"}});
}

TEST_CASE("anything else is refused whole", "[authz]") {
  for (const std::string& text :
       {std::string(), std::string("user"), std::string(":u"), std::string("user:"),
        std::string("User:u"), std::string("user:a b"), std::string("user:a:b"),
        std::string("user:\xc3\xa4"), std::string("user:") + std::string(257, 'a'),
        std::string(65, 'a') + ":u", std::string("u\0:x", 4)}) {
    INFO(text);
    CHECK_FALSE(parse_object(text));
    CHECK_FALSE(parse_subject(text));
  }
  CHECK_FALSE(parse_object("group:g#member"));
  CHECK_FALSE(parse_subject("group:g#"));
  CHECK_FALSE(parse_subject("group:g#member#member"));
  CHECK(parse_object("user:" + std::string(256, 'a')));
}

}  // namespace plexsphere::authz
