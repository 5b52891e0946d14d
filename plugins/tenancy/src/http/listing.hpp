// Paged lists: cursor and limit in, a page filtered by what the caller may read, cursor out.
//
// The filter is applied to the stored page, so a page may be short or empty while there is a next
// one, and the cursor never tells how many rows were hidden.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/services.hpp"
#include "http/answers.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::tenancy {

struct PageRequest {
  int64_t limit = 50;
  std::string after;  // payload of the cursor; empty at the start
};

// 400 "invalid_limit", "invalid_cursor"; 403 "cursor_binding_mismatch".
inline std::variant<PageRequest, sdk::Problem> page_request(const sdk::Request& request,
                                                            const sdk::CursorCodec& cursors,
                                                            const sdk::CursorScope& scope) {
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  PageRequest page{*limit, {}};
  if (const auto cursor = request.query("cursor")) {
    auto after = cursors.decode(scope, *cursor);
    if (!after.ok()) {
      return sdk::paging_problem(after.error());
    }
    page.after = std::move(*after);
  }
  return page;
}

// What a list answers, before it is sent. `rows` holds one more than `limit` when there is a next
// page. `position` makes a cursor's payload of a row.
template <typename RowType, typename Position>
sdk::Answer page_answer(const Services& services, const sdk::Reference& caller,
                        std::string_view permission, std::string_view object_type,
                        std::vector<RowType> rows, int64_t limit, const sdk::CursorCodec& cursors,
                        const sdk::CursorScope& scope, Position position, bool tell_why_empty) {
  const auto size = static_cast<std::size_t>(limit);
  std::string next;
  if (rows.size() > size) {
    rows.resize(size);
    next = cursors.encode(scope, position(rows.back()));
  }
  std::vector<std::string> ids;
  for (const RowType& row : rows) {
    ids.push_back(row.id.text());
  }
  const auto allowed = services.authz.filter(caller, permission, object_type, ids);
  if (!allowed.ok()) {
    return sdk::authz_unavailable();
  }
  nlohmann::json items = nlohmann::json::array();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if ((*allowed)[i]) {
      items.push_back(to_json(rows[i]));
    }
  }
  nlohmann::json body;
  if (tell_why_empty && items.empty() && !rows.empty()) {
    body["empty_reason"] = "no_rebac_membership";
  }
  body["items"] = std::move(items);
  if (!next.empty()) {
    body["next_cursor"] = next;
  }
  return sdk::Response::json(200, body.dump());
}

}  // namespace plexsphere::tenancy
