#pragma once

#include <nlohmann/json_fwd.hpp>

struct Document {
  const nlohmann::json* value = nullptr;
};
