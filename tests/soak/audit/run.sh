#!/usr/bin/env bash
# `./dev soak audit [ROUNDS]`: the core and PostgreSQL killed under load at every failpoint of the audit
# log's append, checkpoint, archive and restore, 30 rounds of it. One line of JSON; the first
# difference between what clients were told and what is there ends it, named.
set -euo pipefail

rounds="${1:-30}"
if ! [[ "$rounds" =~ ^[1-9][0-9]*$ ]]; then
  printf 'soak audit: "%s" is no number of rounds; usage: ./dev soak audit [ROUNDS]\n' "$rounds" >&2
  exit 2
fi
exec "$PLEXSPHERE_BUILD_DIR/test-bin/soak_audit" "$rounds"
