#!/usr/bin/env bash
# Records of Node-side audit cannot be written to the platform chain: px.audit takes its own record
# type and nothing that merely looks like one. Proved by the compiler: the accepted use compiles, and
# every line of the probe that is marked so does not.
source "$(dirname "$0")/../lib.sh"

probe="$rules_home/samples/node_audit/probe.cpp"
compile() { g++ -std=c++20 -fsyntax-only -fmax-errors=0 -I "$root/sdk/include" "$@" "$probe" 2>&1; }

message="$(compile)" || complain px.audit control "the accepted use does not compile: $(head -n 3 <<<"$message")"

marked="$(grep -n 'must not compile$' "$probe" | cut -d: -f1)"
[[ -n "$marked" ]] || complain px.audit nothing "the probe attempts nothing"
refused="$(compile -DATTEMPTS | sed -nE 's|^[^ ]*probe\.cpp:([0-9]+):[0-9]+: error:.*|\1|p' | sort -un)" || true
while IFS= read -r line; do
  complain px.audit "$line" "a record of another kind reaches the platform chain: $(sed -n "${line}p" "$probe")"
done < <(comm -23 <(sort <<<"$marked") <(sort <<<"$refused") | grep . || true)
while IFS= read -r line; do
  complain px.audit "$line" "the probe itself is broken at line $line"
done < <(comm -13 <(sort <<<"$marked") <(sort <<<"$refused") | grep . || true)
finish
