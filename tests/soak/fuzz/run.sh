#!/usr/bin/env bash
# Fuzzes what a connection may send (tests/fuzz) with libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer: `./dev soak fuzz [SECONDS]`, 300 by default. What it learns is kept in
# the build directory and goes on from there the next time; what breaks is kept in fuzz/crashes.
set -euo pipefail
root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)"
source "$root/packaging/dev/common.sh"
source "$root/packaging/dev/packages.sh"

seconds="${1:-300}"
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || die "soak fuzz: \"$seconds\" is no number of seconds"
out="${PLEXSPHERE_BUILD_DIR:?is set by ./dev soak}/fuzz"
packages_file="$root/packaging/build-deps/debian-12-soak.txt"
ensure_packages

sources=("$root"/tests/fuzz/{body_checks,head_checks,http_fuzz,route_checks}.cpp
  "$root"/host/http/wire/*.cpp "$root"/host/http/message.cpp
  "$root"/host/http/pipeline/{decode_buffer,route_table}.cpp "$root"/host/base/result.cpp)
flags=(-std=c++20 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined
  -fno-sanitize-recover=undefined -I"$root" -I"$root/tests" -I"$root/sdk/include")

build() {
  mkdir -p "$out/objects"
  local file object objects=()
  for file in "${sources[@]}"; do
    object="$out/objects/$(tr / _ <<<"${file#"$root"/}").o"
    ccache clang++-14 "${flags[@]}" -c "$file" -o "$object" || return
    objects+=("$object")
  done
  clang++-14 "${flags[@]}" "${objects[@]}" -o "$out/http_fuzz" -lPocoNet -lPocoFoundation -lz
}

timed "building the fuzz target with clang" build
mkdir -p "$out/corpus" "$out/crashes"
status=0
"$out/http_fuzz" -max_total_time="$seconds" -max_len=20000 -timeout=10 -rss_limit_mb=2048 \
  -use_value_profile=1 -print_final_stats=1 -dict="$root/tests/fuzz/http.dict" \
  -artifact_prefix="$out/crashes/" "$out/corpus" "$root/tests/fuzz/corpus/http" || status=$?
if ((status)); then
  die "soak fuzz: a find is kept in $out/crashes; put it into tests/fuzz/corpus/http, and mend what it shows"
fi
say "soak fuzz: $seconds s without a find; the corpus in $out/corpus holds $(find "$out/corpus" -type f | wc -l) inputs"
