#!/usr/bin/env bash
# Every header of the SDK compiles alone: the wire (abi/) as C11 and as C++20, the rest as C++20,
# under the same warnings as everything else.
source "$(dirname "$0")/../lib.sh"

include="$root/sdk/include"
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)

# alone HEADER: prints a line for each language in which it does not compile by itself.
alone() {
  local message
  if [[ "$1" == */abi/* ]] && ! message="$(printf '#include "%s"\n' "$1" |
    gcc -x c -std=c11 "${warnings[@]}" -fsyntax-only -I "$include" - 2>&1)"; then
    printf '%s\tC11\t%s\n' "$1" "$(head -n 3 <<<"$message" | tr '\n' ' ')"
  fi
  if ! message="$(printf '#include "%s"\n' "$1" |
    g++ -x c++ -std=c++20 "${warnings[@]}" -fsyntax-only -I "$include" - 2>&1)"; then
    printf '%s\tC++20\t%s\n' "$1" "$(head -n 3 <<<"$message" | tr '\n' ' ')"
  fi
}

# Two at a time: every other header takes half a second.
all_alone() {
  local header
  for header in "${headers[@]}"; do
    alone "$header" &
    while (($(jobs -rp | wc -l) >= 2)); do wait -n || true; done
  done
  wait
}

mapfile -t headers < <(cd "$include" && find . -name '*.h' -o -name '*.hpp' | sed 's|^\./||' | sort)
((${#headers[@]})) || complain all nothing "no header found below $include"
while IFS=$'\t' read -r header language message; do
  complain "$header" "$language" "does not compile alone as $language: $message"
done < <(all_alone)
finish
