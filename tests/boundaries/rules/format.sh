#!/usr/bin/env bash
# Every C and C++ file is formatted as .clang-format says; ./dev fmt does it. Results are compared:
# clang-format 14's --dry-run also warns of namespace comments that it then leaves as they are.
source "$(dirname "$0")/../lib.sh"

mapfile -t files < <(tracked '*.c' '*.h' '*.cpp' '*.hpp')
((${#files[@]})) || complain all nothing "no C or C++ file found"
cd "$root"
while IFS= read -r file; do
  complain "$file" format "is not formatted as .clang-format says: run ./dev fmt"
done < <(printf '%s\n' "${files[@]}" |
  xargs -P 2 -n 1 sh -c 'clang-format "$1" | cmp -s - "$1" || printf "%s\n" "$1"' _ | sort -u)
finish
