#include "domain/schema.hpp"

#include <algorithm>
#include <array>

namespace plexsphere::authz {
namespace {

using Names = std::array<std::string_view, 1>;

constexpr Names kPlatform{"platform"};
constexpr Names kDomain{"domain"};
constexpr Names kProject{"project"};
constexpr std::array<std::string_view, 2> kOwners{"user", "service-identity"};
constexpr std::array<std::string_view, 3> kPrincipals{"user", "service-identity", "group#member"};

constexpr Term same(std::string_view name) {
  return {Term::Kind::same, name};
}
constexpr Term parent(std::string_view name) {
  return {Term::Kind::arrow, name, "parent"};
}
constexpr Term of_platform(std::string_view name) {
  return {Term::Kind::platform, name};
}
constexpr Term kItself{Term::Kind::itself};

constexpr std::array kPlatformManage{same("admin")};
constexpr std::array kPlatformRead{same("admin"), same("auditor"), same("member")};

constexpr std::array kAuditor{of_platform("auditor")};
constexpr std::array kDomainManage{same("owner"), same("admin"), of_platform("manage")};
constexpr std::array kDomainRead{same("owner"), same("admin"), same("auditor"), same("member"),
                                 of_platform("read")};
constexpr std::array kSameAsRead{same("read")};
constexpr std::array kSameAsManage{same("manage")};

constexpr std::array kProjectManage{same("admin"), parent("manage"), of_platform("manage")};
constexpr std::array kProjectRead{same("admin"), same("operator"), same("member"), parent("read"),
                                  of_platform("read")};
constexpr std::array kProjectDeploy{same("admin"), same("operator"), same("manage")};

constexpr std::array kOfDomainRead{parent("read"), of_platform("read")};
constexpr std::array kOfDomainManage{parent("manage"), of_platform("manage")};
constexpr std::array kOfProjectRead{parent("read"), of_platform("read")};
constexpr std::array kOfProjectObserve{parent("observe"), of_platform("read")};
constexpr std::array kOfProjectManage{parent("manage"), of_platform("manage")};
constexpr std::array kOfProjectDeploy{parent("deploy"), of_platform("manage")};
constexpr std::array kSameAsMaintainer{same("maintainer")};
constexpr std::array kNodeAgent{kItself, parent("read"), of_platform("read")};

constexpr std::span<const Term> kNone{};
constexpr std::span<const std::string_view> kComputed{};

constexpr std::array kRules{
    Rule{"platform", "admin", kPrincipals, kNone},
    Rule{"platform", "auditor", kPrincipals, kNone},
    Rule{"platform", "member", kPrincipals, kNone},
    Rule{"platform", "manage", kComputed, kPlatformManage},
    Rule{"platform", "read", kComputed, kPlatformRead},

    Rule{"domain", "parent", kPlatform, kNone},
    Rule{"domain", "owner", kOwners, kNone},
    Rule{"domain", "admin", kPrincipals, kNone},
    Rule{"domain", "auditor", kPrincipals, kAuditor},
    Rule{"domain", "member", kPrincipals, kNone},
    Rule{"domain", "manage", kComputed, kDomainManage},
    Rule{"domain", "read", kComputed, kDomainRead},
    Rule{"domain", "domain-view", kComputed, kSameAsRead},
    Rule{"domain", "domain-edit", kComputed, kSameAsManage},

    Rule{"project", "parent", kDomain, kNone},
    Rule{"project", "admin", kPrincipals, kNone},
    Rule{"project", "operator", kPrincipals, kNone},
    Rule{"project", "member", kPrincipals, kNone},
    Rule{"project", "manage", kComputed, kProjectManage},
    Rule{"project", "read", kComputed, kProjectRead},
    Rule{"project", "deploy", kComputed, kProjectDeploy},
    Rule{"project", "observe", kComputed, kSameAsRead},

    Rule{"resource", "parent", kProject, kNone},
    Rule{"resource", "maintainer", kPrincipals, kOfProjectDeploy},
    Rule{"resource", "act", kComputed, kSameAsMaintainer},
    Rule{"resource", "deploy", kComputed, kOfProjectDeploy},
    Rule{"resource", "observe", kComputed, kOfProjectObserve},

    Rule{"node", "parent", kProject, kNone},
    Rule{"node", "node-agent", kComputed, kNodeAgent},
    Rule{"node", "node-operate", kComputed, kOfProjectDeploy},
    Rule{"node", "read", kComputed, kOfProjectRead},

    Rule{"bootstrap_token", "parent", kProject, kNone},
    Rule{"bootstrap_token", "read", kComputed, kOfProjectRead},
    Rule{"bootstrap_token", "manage", kComputed, kOfProjectManage},

    Rule{"service-identity", "parent", kDomain, kNone},
    Rule{"service-identity", "read", kComputed, kOfDomainRead},
    Rule{"service-identity", "manage", kComputed, kOfDomainManage},

    Rule{"group", "parent", kDomain, kNone},
    Rule{"group", "member", kPrincipals, kNone},
};

}  // namespace

const Rule* find_rule(std::string_view type, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kRules, [&](const Rule& rule) { return rule.type == type && rule.name == name; });
  return found == kRules.end() ? nullptr : found;
}

bool is_object_type(std::string_view type) {
  return std::ranges::any_of(kRules, [&](const Rule& rule) { return rule.type == type; });
}

std::span<const Rule> all_rules() {
  return kRules;
}

bool allows_subject(const Rule& rule, std::string_view subject_type,
                    std::string_view subject_relation) {
  return std::ranges::any_of(rule.subjects, [&](std::string_view allowed) {
    const auto hash = allowed.find('#');
    const std::string_view type = allowed.substr(0, hash);
    const std::string_view relation =
        hash == std::string_view::npos ? std::string_view{} : allowed.substr(hash + 1);
    return type == subject_type && relation == subject_relation;
  });
}

}  // namespace plexsphere::authz
