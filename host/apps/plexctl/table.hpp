// Text for people: columns that line up, and nothing that could steer their terminal. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::plexctl {

// `text` with a space for every control character (C0, DEL and the C1 of UTF-8): what a server says
// must not move the cursor.
std::string printable(std::string_view text);

// One line per row, columns two spaces apart, an empty cell as "-". Widths count characters of
// UTF-8. Every row has as many cells as `head`.
std::string table(const std::vector<std::string>& head,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace plexsphere::plexctl
