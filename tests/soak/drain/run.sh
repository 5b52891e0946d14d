#!/usr/bin/env bash
# COUNT drains, 1000 unless told otherwise: about a quarter of an hour.
set -euo pipefail
exec "$PLEXSPHERE_BUILD_DIR/test-bin/soak_drain" "${1:-1000}"
