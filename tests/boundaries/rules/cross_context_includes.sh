#!/usr/bin/env bash
# Every header that an object of plugins/<c> opened lies in plugins/<c>, in the SDK, among files
# generated for <c>, or in an allowed folder of the system. The compiler's own record of opened
# headers is read (ninja -t deps), so neither macros nor symbolic links help. Tests of a context may
# use more of the system and tests/support, but no other context either.
source "$(dirname "$0")/../lib.sh"

# opened: "object <tab> header" for every object that is part of the present build.
opened() {
  ninja -C "$build" -t targets all 2>/dev/null | sed -n 's/: .*//p' |
    awk -v build="$build" '
      function normal(path,   part, n, i, out, depth, kept) {
        if (path !~ /^\//) { path = build "/" path }
        n = split(path, part, "/"); depth = 0
        for (i = 1; i <= n; i++) {
          if (part[i] == "" || part[i] == ".") { continue }
          if (part[i] == "..") { if (depth > 0) { depth-- }; continue }
          kept[++depth] = part[i]
        }
        out = ""
        for (i = 1; i <= depth; i++) { out = out "/" kept[i] }
        return out
      }
      FNR == NR { current[$0] = 1; next }
      /^[^ ].*: #deps/ { object = $0; sub(/: #deps.*/, "", object); next }
      /^ / && object in current && object ~ /^plugins\/[^\/]+\// {
        header = $0; sub(/^ +/, "", header)
        printf "%s\t%s\n", object, normal(header)
      }' - <(ninja -C "$build" -t deps 2>/dev/null)
}

is_system() {
  case "$1" in
    /usr/include/c++/* | /usr/include/x86_64-linux-gnu/* | /usr/include/aarch64-linux-gnu/*) return 0 ;;
    /usr/include/linux/* | /usr/include/asm-generic/* | /usr/lib/gcc/* | /usr/lib/llvm*/*) return 0 ;;
    /usr/include/nlohmann/* | /usr/include/sodium/* | /usr/include/sodium.h) return 0 ;;
    /usr/include/openssl/*) return 0 ;;  # libcrypto; libssl is refused by no_direct_persistence
    # The C library's own headers lie in /usr/include. Those for addresses are needed to read one;
    # no_default_http_client sees to it that nobody calls it.
    /usr/include/arpa/inet.h | /usr/include/netinet/in.h) return 0 ;;
    /usr/include/*/*) return 1 ;;
    /usr/include/*.h) c_library_header "$1" ;;
    *) return 1 ;;
  esac
}

c_library_header() {
  case "$1" in
    /usr/include/libpq*.h | /usr/include/pg_config*.h | /usr/include/postgres_ext.h) return 1 ;;
    /usr/include/zlib.h | /usr/include/zconf.h | /usr/include/sqlite3*.h | /usr/include/ares*.h) return 1 ;;
    /usr/include/pqxx*.h | /usr/include/tomlplusplus* | /usr/include/nats*.h | /usr/include/expat*.h) return 1 ;;
    *) return 0 ;;
  esac
}

# allowed PLUGIN IS_TEST HEADER
allowed() {
  local plugin="$1" is_test="$2" header="$3"
  case "$header" in
    "$root/plugins/$plugin"/* | "$root"/sdk/include/* | "$build/plugins/$plugin"/*) return 0 ;;
    "$root"/tests/boundaries/poison.h) return 0 ;;
    "$root"/plugins/* | "$build"/plugins/*) return 1 ;;
    "$root"/* | "$build"/*) [[ "$is_test" == yes ]] ;;
    *) [[ "$is_test" == yes ]] || is_system "$header" ;;
  esac
}

record="$(mktemp)"
trap 'rm -f "$record"' EXIT
opened >"$record"

while IFS= read -r plugin; do
  seen=0
  while IFS=$'\t' read -r object header; do
    seen=1
    is_test=no
    [[ "$object" == plugins/"$plugin"/tests/* ]] && is_test=yes
    if ! allowed "$plugin" "$is_test" "$header"; then
      complain "$plugin" "$header" "${object##*.dir/} opened $header: use the SDK, or ask the owner of it for a port"
    fi
  done < <(awk -F'\t' -v prefix="plugins/$plugin/" 'index($1, prefix) == 1' "$record" |
    sort -t$'\t' -k2,2 -u)
  ((seen)) || complain "$plugin" nothing "ninja knows no object of it: build it first"
done < <(plugins)
finish
