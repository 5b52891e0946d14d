#!/usr/bin/env bash
# A plugin's library needs the C and C++ runtimes, libsodium, libcrypto and libzstd, which compute,
# and no other library: no client of PostgreSQL, no Poco, no broker. What it stores, it stores through
# px.store. (What libcrypto has beside digests, sockets and keys, no_default_http_client and
# cannot_sign look for.)
source "$(dirname "$0")/../lib.sh"

needed_by() { readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'; }

check() {
  local library
  while IFS= read -r library; do
    case "$library" in
      libc.so.6 | libm.so.6 | libgcc_s.so.1 | libstdc++.so.6 | ld-linux-*.so.*) ;;
      libsodium.so.* | libcrypto.so.* | libzstd.so.*) ;;
      libasan.so.* | libubsan.so.* | libtsan.so.*) ;;
      *) complain "$1" "$library" "is linked with $library: use px.store for data, px.egress for the network" ;;
    esac
  done < <(needed_by "$2")
}

each_module check
finish
