#!/usr/bin/env bash
# Every header of the SDK compiles alone: the wire (abi/) as C11 and as C++20, the rest as C++20,
# under the same warnings as everything else.
source "$(dirname "$0")/../lib.sh"

include="$root/sdk/include"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# alone LANGUAGE STANDARD HEADER: the compiler's message on failure.
alone() {
  local compiler=g++
  [[ "$1" == c ]] && compiler=gcc
  printf '#include "%s"\n' "$3" |
    "$compiler" -x "$1" -std="$2" "${warnings[@]}" -fsyntax-only -I "$include" - 2>&1
}

check() {
  local header="$1" message
  if [[ "$header" == */abi/* ]]; then
    message="$(alone c c11 "$header")" ||
      complain "$header" c11 "does not compile alone as C11: $(head -n 3 <<<"$message")"
  fi
  message="$(alone c++ c++20 "$header")" ||
    complain "$header" c++20 "does not compile alone as C++20: $(head -n 3 <<<"$message")"
}

mapfile -t headers < <(cd "$include" && find . -name '*.h' -o -name '*.hpp' | sed 's|^\./||' | sort)
((${#headers[@]})) || complain all nothing "no header found below $include"
for header in "${headers[@]}"; do check "$header"; done
finish
