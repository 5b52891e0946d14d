// The routes of this context: request in, use case, answer out. Any worker.
#pragma once

#include "app/create_domain.hpp"
#include "app/services.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::tenancy {

class Routes {
 public:
  // [init] Both must outlive this, and this the process's requests.
  Routes(Services& services, CreateDomain& create_domain)
      : services_(services), create_domain_(create_domain) {}

  sdk::Status add_to(const sdk::Router& router);
  // Before the first request.
  void use_cursor_key(sdk::Secret key) { cursors_ = sdk::CursorCodec(std::move(key)); }

 private:
  sdk::Status add_domains(const sdk::Router& router);
  sdk::Status add_projects(const sdk::Router& router);
  sdk::Status add_resources(const sdk::Router& router);

  void create_domain(const sdk::Request& request, sdk::Responder responder);
  void list_domains(const sdk::Request& request, sdk::Responder responder);
  sdk::Answer get_domain(const sdk::Request& request);
  void create_project(const sdk::Request& request, sdk::Responder responder);
  void list_projects(const sdk::Request& request, sdk::Responder responder);
  sdk::Answer get_project(const sdk::Request& request);
  sdk::Answer create_resource(const sdk::Request& request);
  sdk::Answer list_resources(const sdk::Request& request);
  sdk::Answer get_resource(const sdk::Request& request);
  sdk::Answer remove_resource(const sdk::Request& request);

  // Sends `answer` once a row on the platform's chain says that the caller has listed.
  void answer_listed(const sdk::Request& request, const char* action, sdk::Answer answer,
                     sdk::Responder responder);

  Services& services_;
  CreateDomain& create_domain_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::tenancy
