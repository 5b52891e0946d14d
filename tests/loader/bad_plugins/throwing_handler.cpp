#include "raw_plugin.hpp"

namespace {

void throw_it(void*, const px_request*, const px_responder*) {
  throw 42;
}

// Completes and then throws: the client keeps its answer.
void answer_and_throw(void*, const px_request*, const px_responder* responder) {
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 204;
  responder->respond(responder->self, &response);
  throw 42;
}

void answer_twice(void*, const px_request*, const px_responder* responder) {
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 204;
  responder->respond(responder->self, &response);
  response.status = 200;
  responder->respond(responder->self, &response);
}

void split_header(void*, const px_request*, const px_responder* responder) {
  const px_pair header{raw::text("X-Thing"), raw::text("a\r\nSet-Cookie: b=c")};
  px_response response{};
  response.struct_size = sizeof(response);
  response.status = 204;
  response.headers = &header;
  response.header_count = 1;
  responder->respond(responder->self, &response);
}

px_status configure(void* self, px_error* err) {
  const px_status statuses[] = {raw::add_route(self, "/v1/bad/throws", &throw_it, err),
                                raw::add_route(self, "/v1/bad/late", &answer_and_throw, err),
                                raw::add_route(self, "/v1/bad/twice", &answer_twice, err),
                                raw::add_route(self, "/v1/bad/split", &split_header, err)};
  for (const px_status status : statuses) {
    if (status != PX_OK) {
      return status;
    }
  }
  return PX_OK;
}

}  // namespace

RAW_PLUGIN("throwing_handler", &raw::make, &configure)
