// Rows and errors of this context as answers. Pure, any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "plexsphere/sdk/router.hpp"
#include "store/rows.hpp"

namespace plexsphere::tenancy {

nlohmann::json to_json(const DomainRow& row);
nlohmann::json to_json(const ProjectRow& row);
nlohmann::json to_json(const ResourceRow& row);

// 201 with Location: <collection>/<id>.
template <typename RowType>
sdk::Response created(const RowType& row, const char* collection) {
  auto answer = sdk::Response::json(201, to_json(row).dump());
  answer.headers.emplace_back("Location", collection + row.id.text());
  return answer;
}

// The contract's status for a reason of ours; outages and everything else as store_problem says.
sdk::Problem problem_of(const sdk::Error& error);

}  // namespace plexsphere::tenancy
