#!/usr/bin/env bash
# No source file is longer than 500 lines: past that, nobody reads it whole.
source "$(dirname "$0")/../lib.sh"

limit=500
mapfile -t files < <(tracked '*.c' '*.h' '*.cpp' '*.hpp' '*.sh' '*.cmake' '*.sql' '*.proto' 'CMakeLists.txt' 'dev')
((${#files[@]})) || complain all nothing "no source file found"
cd "$root"
while read -r lines file; do
  complain "$file" length "has $lines lines, $limit are allowed: split it by duty"
done < <(wc -l "${files[@]}" | awk -v limit="$limit" '$2 != "total" && $1 > limit')
finish
