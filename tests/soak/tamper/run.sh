#!/usr/bin/env bash
# `./dev soak tamper [ROUNDS]`: every single bit of a 1,000-entry audit chain, of its head, of its
# checkpoints and of its export, and in each round a random bit of every entry in the database, 10 rounds.
# One line of JSON; a bit that is not found, or under another name or number, ends it, named.
set -euo pipefail

rounds="${1:-10}"
if ! [[ "$rounds" =~ ^[1-9][0-9]*$ ]]; then
  printf 'soak tamper: "%s" is no number of rounds; usage: ./dev soak tamper [ROUNDS]\n' "$rounds" >&2
  exit 2
fi
"$PLEXSPHERE_BUILD_DIR/test-bin/soak_tamper" "$rounds"
