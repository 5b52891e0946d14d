#!/usr/bin/env bash
# Every C and C++ file is formatted as .clang-format says; ./dev fmt does it.
source "$(dirname "$0")/../lib.sh"

mapfile -t files < <(tracked '*.c' '*.h' '*.cpp' '*.hpp')
((${#files[@]})) || complain all nothing "no C or C++ file found"
cd "$root"
while IFS= read -r file; do
  complain "$file" format "is not formatted as .clang-format says: run ./dev fmt"
done < <(printf '%s\n' "${files[@]}" | xargs -P 2 -n 20 clang-format --dry-run 2>&1 |
  sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: (warning|error):.*/\1/p' | sort -u)
finish
