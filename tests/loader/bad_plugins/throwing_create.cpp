#include "raw_plugin.hpp"

namespace {

px_status create(const px_host*, void**, px_error*) {
  throw 42;
}

}  // namespace

RAW_PLUGIN("throwing_create", &create, &raw::nothing)
