#include "raw_plugin.hpp"

namespace {

void answer(void*, const px_request*, const px_responder* responder) {
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 204;
  responder->respond(responder->self, &response);
}

px_status configure(void* self, px_error* err) {
  return raw::add_route(self, "/v1/stray", &answer, err);
}

}  // namespace

RAW_PLUGIN("stray_route", &raw::make, &configure)
