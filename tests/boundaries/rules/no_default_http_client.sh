#!/usr/bin/env bash
# No plugin refers to a function that opens a connection, resolves a name, or loads or runs something
# that could. px.egress is the only way out: deadline, TLS policy and granted hosts are not optional.
source "$(dirname "$0")/../lib.sh"

check() {
  local symbol
  while IFS= read -r symbol; do
    complain "$1" "$symbol" "refers to $symbol: only px.egress reaches the network"
  done < <(symbols_matching "$2" "$rules_home/deny/no_default_http_client.txt")
}

each_module check
finish
