#!/usr/bin/env bash
# `./dev soak enrol [ROUNDS [RACES]]`: registrations while the core, PostgreSQL or clients are killed at
# every failpoint, 200 rounds for each victim, then 500 rounds of each race. One line of JSON each; a
# broken invariant ends it, named.
set -euo pipefail

rounds="${1:-200}" races="${2:-500}"
for number in "$rounds" "$races"; do
  if ! [[ "$number" =~ ^[1-9][0-9]*$ ]]; then
    printf 'soak enrol: "%s" is no number of rounds; usage: ./dev soak enrol [ROUNDS [RACES]]\n' "$number" >&2
    exit 2
  fi
done
bin="$PLEXSPHERE_BUILD_DIR/test-bin"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

for victim in core postgres client; do
  "$bin/soak_enrol" "$rounds" "$victim"
done

# race NAME TEST: what a test tells matters only when it fails.
race() {
  if ! PLEXSPHERE_RACE_ROUNDS="$races" "$bin/e2e_enrolment_race_test" "$2" >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  # Catch2 is content with a name that no test has.
  if ! grep -q '^All tests passed' "$log"; then
    printf 'soak enrol: there is no test "%s"\n' "$2" >&2
    exit 1
  fi
  printf '{"name":"enrol_race_%s","rounds":%d,"broken":0}\n' "$1" "$races"
}
race one_token 'of two hundred clients with one token*'
race copies 'five copies of one request at once*'
