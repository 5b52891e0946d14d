// Answers of key rotation as JSON text. Pure, any thread.
#pragma once

#include <string>

#include "app/key_rotations.hpp"

namespace plexsphere::mesh {

// RotationTriggerResponse.
std::string rotation_json(const RotationRequested& requested);
// KeysRotateResponse.
std::string receipt_json(const RotationReceipt& receipt);
// RotationImpactPreview.
std::string preview_json(const RotationPreview& preview);

}  // namespace plexsphere::mesh
