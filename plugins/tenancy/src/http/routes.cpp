#include "http/routes.hpp"

namespace plexsphere::tenancy {

sdk::Status Routes::add_to(const sdk::Router& router) {
  if (auto added = add_domains(router); !added.ok()) {
    return added;
  }
  if (auto added = add_projects(router); !added.ok()) {
    return added;
  }
  return add_resources(router);
}

}  // namespace plexsphere::tenancy
