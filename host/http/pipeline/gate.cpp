// The guarding steps of an exchange: who calls, about what, may they, and is it on record.
#include "host/base/uuid.hpp"
#include "host/base/wire_text.hpp"
#include "host/http/pipeline/exchange.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::http::detail {
namespace {

constexpr std::string_view kPlatformType = "platform";
constexpr std::string_view kPlatformId = "plexsphere";  // the one object of that type

const char* subject_type(px_principal_kind kind) {
  switch (kind) {
    case PX_PRINCIPAL_USER:
      return "user";
    case PX_PRINCIPAL_SERVICE:
      return "service-identity";
    case PX_PRINCIPAL_NODE:
      return "node";
    default:
      return "anonymous";
  }
}

const char* reason_name(px_reason reason) {
  switch (reason) {
    case PX_REASON_OUT_OF_SCOPE:
      return "out_of_scope";
    case PX_REASON_CAVEAT_VIOLATION:
      return "caveat_violation";
    default:
      return "insufficient_relation";
  }
}

std::uint32_t accepted_kinds(px_auth auth) {
  switch (auth) {
    case PX_AUTH_OPERATOR:
      return PX_ACCEPT_OPERATOR;
    case PX_AUTH_NODE:
      return PX_ACCEPT_NODE;
    default:
      return PX_ACCEPT_OPERATOR | PX_ACCEPT_NODE;
  }
}

bool kind_accepted(px_auth auth, px_principal_kind kind) {
  const std::uint32_t accepts = accepted_kinds(auth);
  if (kind == PX_PRINCIPAL_NODE) {
    return (accepts & PX_ACCEPT_NODE) != 0;
  }
  return (kind == PX_PRINCIPAL_USER || kind == PX_PRINCIPAL_SERVICE) &&
         (accepts & PX_ACCEPT_OPERATOR) != 0;
}

const char* default_401_code(px_auth auth) {
  return auth == PX_AUTH_NODE ? "unauthorized" : "unauthenticated";
}

bool names_an_id(std::string_view parameter) {
  return parameter == "id" || (parameter.size() > 3 && parameter.ends_with("_id"));
}

Headers challenge() {
  return {{"WWW-Authenticate", "Bearer realm=\"plexsphere\""}};
}

}  // namespace

template <typename Call>
void Exchange::await(Step next, Call call) {
  next_ = next;
  phase_ = kCalling;
  try {
    call(new std::shared_ptr<Exchange>(shared_from_this()));
  } catch (...) {
    int calling = kCalling;
    if (phase_.compare_exchange_strong(calling, kAbandoned)) {
      // The port broke its promise; a callback that still comes is ignored.
      pipeline_.log.error("http.port_threw",
                          {{"route", route_.path}, {"correlation_id", correlation_id_}});
      step_status_ = PX_INTERNAL;
      step_reason_.clear();
      (this->*next)();
      return;
    }
  }
  int calling = kCalling;
  if (!phase_.compare_exchange_strong(calling, kWaiting)) {
    (this->*next)();
  }
}

std::shared_ptr<Exchange> Exchange::from_context(void* context) {
  const std::unique_ptr<std::shared_ptr<Exchange>> owned(
      static_cast<std::shared_ptr<Exchange>*>(context));
  return *owned;
}

void Exchange::arrived(const std::shared_ptr<Exchange>& self) {
  int phase = kCalling;
  if (self->phase_.compare_exchange_strong(phase, kDone) || phase != kWaiting) {
    return;
  }
  self->phase_ = kDone;
  self->reply_->run([self] { self->go_on(); });
}

void Exchange::go_on() {
  if (answered_) {
    return;
  }
  try {
    (this->*next_)();
  } catch (...) {
    report_defect("http.pipeline_threw", "");
    fail_internally();
  }
}

bool Exchange::take_bearer() {
  constexpr std::string_view kScheme = "bearer ";
  const std::string* header = request_.head.header("authorization");
  if (header != nullptr && header->size() > kScheme.size() &&
      equal_ignoring_case(std::string_view(*header).substr(0, kScheme.size()), kScheme)) {
    bearer_ = std::string_view(*header).substr(kScheme.size());
    return true;
  }
  fail(401, default_401_code(route_.auth), "This operation needs a bearer credential.",
       challenge());
  return false;
}

void Exchange::authenticate() {
  const px_authn* authn = pipeline_.ports.authn;
  if (authn == nullptr) {
    step_status_ = PX_UNAVAILABLE;
    authenticated();
    return;
  }
  await(&Exchange::authenticated, [&](void* context) {
    const px_credential credential{sizeof(px_credential), accepted_kinds(route_.auth),
                                   wire(bearer_), wire(remote_ip_)};
    authn->authenticate(authn->base.self, &credential, &Exchange::on_authn, context);
  });
}

void Exchange::on_authn(void* context, px_status status, px_str reason, const px_principal* who) {
  const auto self = from_context(context);
  if (self->phase_ == kAbandoned) {
    return;
  }
  self->step_status_ = status == PX_OK && who == nullptr ? PX_INTERNAL : status;
  self->step_reason_ = text(reason);
  if (self->step_status_ == PX_OK) {
    self->principal_ = *who;
    self->principal_.struct_size = sizeof(px_principal);
  }
  arrived(self);
}

void Exchange::authenticated() {
  if (step_status_ == PX_UNAUTHENTICATED) {
    fail(401, step_reason_.empty() ? default_401_code(route_.auth) : step_reason_,
         "The credential was refused.", challenge());
    return;
  }
  if (step_status_ != PX_OK) {
    // Not a 401: an agent that is told so throws its credential away.
    fail(503, "authn_unavailable", "Authentication is not available at the moment; try again.");
    return;
  }
  if (!kind_accepted(route_.auth, principal_.kind)) {
    fail(401, default_401_code(route_.auth), "This kind of credential is not accepted here.",
         challenge());
    return;
  }
  subject_id_ = to_text(bytes(principal_.id));
  if (check_ids()) {
    authorize();
  }
}

bool Exchange::check_ids() {
  for (const auto& [wire_name, value] : match_.parameters()) {
    const auto name = view(wire_name);
    if (!names_an_id(name) && name != route_.node_parameter) {
      continue;
    }
    const auto uuid = parse_uuid(view(value));
    if (!uuid || is_nil(*uuid)) {
      fail(400, route_.bad_id_code,
           "'" + std::string(name) + "' in the path must be a UUID other than zero.");
      return false;
    }
    if (name == route_.node_parameter && principal_.kind == PX_PRINCIPAL_NODE &&
        *uuid != bytes(principal_.id)) {
      answer(render(Denial{"insufficient_relation",
                           {},
                           "node_id_mismatch",
                           "The credential belongs to another Node."},
                    request_.head.path(), correlation_id_));
      return false;
    }
    if (name == route_.object_parameter) {
      object_id_ = to_text(*uuid);
    }
  }
  return true;
}

bool Exchange::skips_permission() const {
  const bool is_the_node =  // check_ids has compared the two
      principal_.kind == PX_PRINCIPAL_NODE && !route_.node_parameter.empty();
  return route_.permission.empty() || (route_.flags & PX_ROUTE_CHECKS_SELF) != 0 || is_the_node;
}

void Exchange::authorize() {
  if (skips_permission()) {
    call_handler();
    return;
  }
  if (object_id_.empty()) {
    const auto named = parameter(route_.object_parameter);
    object_id_ = route_.object_parameter.empty() ? kPlatformId : named;
  }
  const px_authz* authz = pipeline_.ports.authz;
  if (authz == nullptr) {
    step_status_ = PX_UNAVAILABLE;
    authorized();
    return;
  }
  await(&Exchange::authorized, [&](void* context) {
    px_check check{};
    check.struct_size = sizeof(px_check);
    check.subject = {wire(subject_type(principal_.kind)), wire(subject_id_), {}};
    check.permission = wire(route_.permission);
    check.object = {wire(route_.object_type), wire(object_id_), {}};
    check.remote_ip = wire(remote_ip_);
    authz->check(authz->base.self, &check, &Exchange::on_authz, context);
  });
}

void Exchange::on_authz(void* context, px_status status, const px_decision* decision) {
  const auto self = from_context(context);
  if (self->phase_ == kAbandoned) {
    return;
  }
  self->step_status_ = status == PX_OK && decision == nullptr ? PX_INTERNAL : status;
  if (self->step_status_ == PX_OK) {
    self->decision_ = decision->reason;
    for (std::uint64_t i = 0; i < decision->relation_path_count; ++i) {
      self->relation_path_.push_back(text(decision->relation_path[i]));
    }
  }
  arrived(self);
}

void Exchange::authorized() {
  if (step_status_ != PX_OK || decision_ == PX_REASON_UNKNOWN) {
    fail(503, "authz_unavailable", "Authorization is not available at the moment; try again.");
    return;
  }
  record_decision();
}

void Exchange::record_decision() {
  const px_audit* audit = pipeline_.ports.audit;
  if (audit == nullptr) {
    step_status_ = PX_UNAVAILABLE;
    decision_recorded();
    return;
  }
  await(&Exchange::decision_recorded, [&](void* context) {
    std::vector<px_str> path;
    for (const auto& hop : relation_path_) {
      path.push_back(wire(hop));
    }
    const std::string* user_agent = request_.head.header("user-agent");
    px_audit_entry entry{};
    entry.struct_size = sizeof(px_audit_entry);
    entry.chain = route_.object_type == kPlatformType ? PX_CHAIN_PLATFORM : PX_CHAIN_RESOLVE;
    entry.reason = decision_;
    entry.subject_domain_id = principal_.domain_id;
    entry.subject_scope_platform = is_nil(bytes(principal_.domain_id)) ? 1 : 0;
    entry.subject_type = wire(subject_type(principal_.kind));
    entry.subject_id = wire(subject_id_);
    entry.relation = wire(route_.permission);
    entry.object_type = wire(route_.object_type);
    entry.object_id = wire(object_id_);
    entry.relation_path = path.data();
    entry.relation_path_count = path.size();
    entry.correlation_id = wire(correlation_id_);
    entry.remote_ip = wire(remote_ip_);
    entry.user_agent = user_agent == nullptr ? px_str{} : wire(*user_agent);
    audit->record(audit->base.self, &entry, &Exchange::on_audit, context);
  });
}

void Exchange::on_audit(void* context, px_status status, px_str reason) {
  const auto self = from_context(context);
  if (self->phase_ == kAbandoned) {
    return;
  }
  self->step_status_ = status;
  self->step_reason_ = text(reason);
  arrived(self);
}

void Exchange::decision_recorded() {
  // Nobody owns the object and the caller belongs to the platform: there is no such object, and no
  // Domain whose chain could tell of it. Nothing is done, so nothing is lost.
  const bool ownerless =
      step_status_ == PX_FAILED_PRECONDITION && step_reason_ == "domain_unresolved";
  if (step_status_ != PX_OK && !ownerless) {
    fail(503, "audit_unavailable", "The audit log is not available at the moment; try again.");
  } else if (decision_ != PX_REASON_GRANTED) {
    deny();
  } else if (ownerless) {
    not_found();
  } else {
    call_handler();
  }
}

void Exchange::not_found() {
  fail(404, route_.not_found_code, "There is no such object.");
}

void Exchange::deny() {
  if (route_.denied_as == 404) {
    not_found();
    return;
  }
  answer(render(Denial{reason_name(decision_), relation_path_, route_.denied_code},
                request_.head.path(), correlation_id_));
}

}  // namespace plexsphere::host::http::detail
