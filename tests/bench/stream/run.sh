#!/usr/bin/env bash
set -euo pipefail
exec "$PLEXSPHERE_BUILD_DIR/test-bin/bench_stream" "$@"
