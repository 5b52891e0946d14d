#include <cstdlib>

#include "raw_plugin.hpp"

namespace {

px_status refuse(void*, px_error* err) {
  err->set(err->self, PX_FAILED_PRECONDITION, raw::text("out_of_luck"),
           raw::text("the start is made to fail"));
  return PX_FAILED_PRECONDITION;
}

// Leaves a trace of the calls that a failed start still gets.
void stop(void*) {
  ::setenv("PLEXSPHERE_TEST_FAILING_START", "stopped", 1);
}

void destroy(void* self) {
  const char* before = std::getenv("PLEXSPHERE_TEST_FAILING_START");
  ::setenv("PLEXSPHERE_TEST_FAILING_START", before == nullptr ? "destroyed" : "stopped,destroyed",
           1);
  raw::destroy(self);
}

void answer(void*, const px_request*, const px_responder* responder) {
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 204;
  responder->respond(responder->self, &response);
}

px_status configure(void* self, px_error* err) {
  return raw::add_route(self, "/v1/failing", &answer, err);
}

}  // namespace

PX_PLUGIN_NOTE("failing_start", "0.1.0");

extern "C" __attribute__((visibility("default"))) const px_plugin* plexsphere_plugin_v1() {
  static const px_description description{sizeof(px_description), 0, raw::text("failing_start"),
                                          raw::text("0.1.0")};
  static const px_plugin plugin{
      sizeof(px_plugin), PX_ABI_MAJOR, PX_ABI_MINOR, [] { return &description; },
      &raw::accept,      &raw::make,   &configure,   &refuse,
      &raw::no_drain,    &stop,        &destroy};
  return &plugin;
}
