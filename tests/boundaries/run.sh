#!/usr/bin/env bash
# Runs every boundary rule over this checkout and a build of it: run.sh BUILD [TALLY_FILE]. All rules
# run, whatever the first ones say; the tally file gets "passed failed".
set -uo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd -- "$here/../.." && pwd)"
build="${1:?usage: run.sh BUILD [TALLY_FILE]}"
tally="${2:-/dev/null}"

BOUNDARY_USED="$(mktemp)"
export BOUNDARY_USED
trap 'rm -f "$BOUNDARY_USED"' EXIT
passed=0 failed=0

run_rule() {
  local name output start=$SECONDS
  name="$(basename "$1" .sh)"
  if output="$(bash "$1" "$root" "$build" 2>&1)"; then
    printf '  ok    %s (%d s)\n' "$name" "$((SECONDS - start))"
    passed=$((passed + 1))
  else
    printf '  FAIL  %s\n' "$name"
    sed 's/^/          /' <<<"$output"
    failed=$((failed + 1))
  fi
}

echo "boundary rules:"
for rule in "$here"/rules/*.sh; do
  # Last: it looks at what the others used.
  [[ "$rule" == */exceptions.sh ]] || run_rule "$rule"
done
run_rule "$here/rules/exceptions.sh"
echo "$passed $failed" >"$tally"
((failed == 0))
