#include <catch2/catch.hpp>

#include "http/plugin_list.hpp"

using namespace plexsphere::meta;
using plexsphere::sdk::PluginInfo;

TEST_CASE("every plugin is listed with its state and why", "[meta][plugins]") {
  const std::vector<PluginInfo> plugins{
      {"audit", "0.1.0", PX_PLUGIN_RUNNING, "", R"({"paths":{}})"},
      {"bad", "", PX_PLUGIN_REJECTED, "plugin.toml is missing", ""}};
  CHECK(plugin_list_json(plugins) ==
        R"({"items":[{"id":"audit","version":"0.1.0","state":"running","reason":""},)"
        R"({"id":"bad","version":"","state":"rejected","reason":"plugin.toml is missing"}]})");
  CHECK(plugin_list_json({}) == R"({"items":[]})");
}

TEST_CASE("each state has the word of the loader", "[meta][plugins]") {
  CHECK(text_of_state(PX_PLUGIN_DISCOVERED) == "discovered");
  CHECK(text_of_state(PX_PLUGIN_REJECTED) == "rejected");
  CHECK(text_of_state(PX_PLUGIN_DISABLED) == "disabled");
  CHECK(text_of_state(PX_PLUGIN_FAILED) == "failed");
  CHECK(text_of_state(PX_PLUGIN_RUNNING) == "running");
  CHECK(text_of_state(PX_PLUGIN_DRAINING) == "draining");
  CHECK(text_of_state(99) == "unknown");
}

TEST_CASE("a reason that is no UTF-8 does not take the list away", "[meta][plugins]") {
  CHECK(plugin_list_json({{"bad", "", PX_PLUGIN_FAILED, "said \xff", ""}})
            .find("said \xef\xbf\xbd") != std::string::npos);
}
