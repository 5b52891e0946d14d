// Rules for names and slugs. Pure, any thread.
#pragma once

#include <string_view>

namespace plexsphere::tenancy {

// ^[a-z0-9]+(-[a-z0-9]+)*$, at most 64.
bool is_slug(std::string_view text);

// Empty, or white space only (Unicode's White_Space). `text` is UTF-8.
bool is_blank(std::string_view text);

}  // namespace plexsphere::tenancy
