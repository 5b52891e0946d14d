#!/usr/bin/env bash
# src/domain/ of a context includes the standard library and its own headers, nothing else: rules
# that can be read, and tested, without anything around them.
source "$(dirname "$0")/../lib.sh"

while IFS= read -r plugin; do
  folder="$root/plugins/$plugin/src/domain"
  [[ -d "$folder" ]] || continue
  while IFS=: read -r file line text; do
    header="$(sed -E 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*/\1/' <<<"$text")"
    if [[ "$text" == *\<* ]]; then
      # The standard library's headers have neither an extension nor a folder.
      [[ "$header" =~ ^[a-z_0-9]+$ ]] && continue
    elif [[ "$header" != *..* && ( -f "$folder/$header" || "$header" == domain/* ) ]]; then
      continue
    fi
    complain "$plugin" "$header" "${file#"$root"/}:$line includes $header: domain/ stands on the standard library alone"
  done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include' "$folder" || true)
done < <(plugins)
finish
