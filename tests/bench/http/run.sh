#!/usr/bin/env bash
# Builds the Go server for comparison where there is a toolchain; nothing is fetched for it.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
out="$PLEXSPHERE_BUILD_DIR/test-bin"

go="$(command -v go || command -v /usr/local/go/bin/go || true)"
rm -f "$out/bench_go_http"
if [[ -n "$go" ]]; then
  (cd "$here" && GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local GOCACHE="$PLEXSPHERE_BUILD_DIR/go-cache" \
    "$go" build -o "$out/bench_go_http" go_server.go) ||
    echo "http: the Go server does not build; it is left out" >&2
fi
exec "$out/bench_http" "$@"
