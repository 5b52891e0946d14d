#!/usr/bin/env bash
# Records of Node-side audit cannot be written to the platform chain: px.audit takes its own record
# type and nothing that merely looks like one. Proved by the compiler: what must compile does, and
# what must not does not, for the reason given in it.
source "$(dirname "$0")/../lib.sh"

source_file="$rules_home/samples/node_audit/probe.cpp"
compile() { g++ -std=c++20 -fsyntax-only -I "$root/sdk/include" "$@" "$source_file" 2>&1; }

message="$(compile)" || complain px.audit control "the accepted use does not compile: $(head -n 3 <<<"$message")"
for attempt in $(grep -oE 'ATTEMPT_[A-Z_]+' "$source_file" | sort -u); do
  if message="$(compile -D"$attempt")"; then
    complain px.audit "$attempt" "$attempt compiles: a record of another kind reaches the platform chain"
  elif ! grep -qE 'no matching function|could not convert|cannot convert|no known conversion|invalid conversion|conversion from' <<<"$message"; then
    complain px.audit "$attempt" "$attempt fails for another reason: $(head -n 2 <<<"$message")"
  fi
done
finish
