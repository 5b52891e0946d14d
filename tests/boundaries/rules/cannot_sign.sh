#!/usr/bin/env bash
# Nothing in the core can sign: neither its binaries nor any plugin but `signing` refers to, contains
# or names an Ed25519 signing primitive. The signer's own binary is a host like the core's, so it is
# held to the same: only the signing plugin signs.
source "$(dirname "$0")/../lib.sh"

binaries=(plexsphere plexctl plexsphere-bootstrap plexsphere-signer plexsphere-signer-journal
          plexsphere-signer-permit)

check() {
  [[ "$1" == signing ]] && return 0
  local symbol
  while IFS= read -r symbol; do
    complain "$1" "$symbol" "can sign, by $symbol: ask px.signing, which asks the signer"
  done < <(
    symbols_matching "$2" "$rules_home/deny/cannot_sign.txt"
    # A name given to dlsym is no symbol, but it is a string.
    strings -d "$2" | { grep -xE -f <(sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$rules_home/deny/cannot_sign.txt") || true; }
  )
}

each_module check
if ((${#only[@]} == 0)); then
  for binary in "${binaries[@]}"; do
    if [[ -f "$build/bin/$binary" ]]; then
      check "$binary" "$build/bin/$binary"
    else
      complain "$binary" not-built "bin/$binary was not built, so nothing is known about it"
    fi
  done
fi
finish
