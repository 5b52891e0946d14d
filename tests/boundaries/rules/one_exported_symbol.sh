#!/usr/bin/env bash
# A plugin exports plexsphere_plugin_v1 and nothing else, leaves no symbol open that no library
# provides, and may never be unloaded (-z nodelete).
source "$(dirname "$0")/../lib.sh"

check() {
  local plugin="$1" file="$2" symbol found=0
  while IFS= read -r symbol; do
    if [[ "$symbol" == plexsphere_plugin_v1 ]]; then
      found=1
    else
      complain "$plugin" "$symbol" "exports $symbol: link with sdk/cmake/plugin.version"
    fi
  done < <(nm -D --defined-only "$file" | awk '{ sub(/@.*/, "", $NF); print $NF }')
  ((found)) || complain "$plugin" plexsphere_plugin_v1 "does not export plexsphere_plugin_v1"

  while IFS= read -r symbol; do
    complain "$plugin" "$symbol" "leaves $symbol undefined, and none of its libraries has it: link with -z defs"
  done < <(ldd -r "$file" 2>&1 | sed -nE 's/^undefined symbol: ([^ ,\t]+).*/\1/p' | grep -vE '^__(asan|ubsan|tsan)_' || true)

  # One awk and not grep -q: under pipefail, an early end of the pipe would count as a failure.
  readelf -d "$file" | awk '/FLAGS_1/ && /NODELETE/ { ok = 1 } END { exit !ok }' ||
    complain "$plugin" nodelete "can be unloaded: link with -z nodelete"
}

each_module check
finish
