#!/usr/bin/env bash
# Every object of a context is compiled with poison.h in front, which makes the names of Poco, pqxx,
# libpq, spdlog and prometheus-cpp an error at the line that uses them. Here: is it really there?
# Without an entry in compile_commands.json nothing was compiled, and that is no proof either.
source "$(dirname "$0")/../lib.sh"

commands="$build/compile_commands.json"
[[ -f "$commands" ]] || { complain all nothing "there is no $commands"; finish; }

while IFS= read -r plugin; do
  mapfile -t lines < <(grep -E '^ *"command":' "$commands" | grep -F "plugin_${plugin}_objects.dir/src/" || true)
  ((${#lines[@]})) || complain "$plugin" nothing "no source of it is in compile_commands.json"
  for line in "${lines[@]}"; do
    [[ "$line" == *boundaries/poison.h* ]] ||
      complain "$plugin" poison.h "${line##* -c } is compiled without poison.h"
  done
done < <(plugins)
finish
