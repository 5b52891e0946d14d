#!/usr/bin/env bash
# Shows that a rule refuses what breaks it and passes what does not: proof.sh RULE STAGE_DIR.
# Run by ctest, once for each rule, after `proof.sh stage STAGE_DIR` has built the samples.
set -euo pipefail
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd -- "$here/../.." && pwd)"
what="$1"
mkdir -p "$2"
stage="$(cd -- "$2" && pwd)"
tree="$stage/tree"
built="$stage/build"
export BOUNDARY_EXCEPTIONS="$here/samples/exceptions.txt"
unset BOUNDARY_USED

# build_samples: a tree of its own, so that no sample is ever near the real plugins.
build_samples() {
  mkdir -p "$tree/tests/boundaries"
  cp -a "$here/samples/CMakeLists.txt" "$here/samples/plugins" "$tree/"
  cp -a "$here/poison.h" "$tree/tests/boundaries/"
  mkdir -p "$tree/sdk"
  cp -a "$root/sdk/CMakeLists.txt" "$root/sdk/cmake" "$root/sdk/include" "$tree/sdk/"
  cmake -S "$tree" -B "$built" -G Ninja -DPLEXSPHERE_TESTS=OFF >"$stage/configure.log" 2>&1 ||
    { cat "$stage/configure.log"; exit 1; }
  ninja -C "$built" -j 1
}

# accepts RULE ROOT BUILD [PLUGIN…]
accepts() {
  local output
  if output="$("$here/rules/$1.sh" "${@:2}" 2>&1)"; then
    echo "ok: $1 accepts ${*:4}"
  else
    printf 'NOT PROVED: %s refuses what is in order (%s):\n%s\n' "$1" "${*:2}" "$output"
    exit 1
  fi
}

# refuses TEXT RULE ROOT BUILD [PLUGIN…]: it must fail, and for the reason that TEXT names.
refuses() {
  local text="$1" output status=0
  shift
  output="$("$here/rules/$1.sh" "${@:2}" 2>&1)" || status=$?
  if ((status != 1)) || [[ "$output" != *"$text"* ]]; then
    printf 'NOT PROVED: %s (%s): status %d, expected 1 and "%s" in:\n%s\n' "$1" "${*:2}" "$status" "$text" "$output"
    exit 1
  fi
  echo "ok: $1 refuses ${*:4}: ${output%%$'\n'*}"
}

# sample_tree NAME: a copy of samples/trees/NAME with the suffix .sample taken off; prints where.
sample_tree() {
  local target file
  target="$stage/trees/$1"
  rm -rf "$target"
  mkdir -p "$target"
  if [[ -d "$here/samples/trees/$1" ]]; then cp -a "$here/samples/trees/$1/." "$target/"; fi
  while IFS= read -r file; do mv "$file" "${file%.sample}"; done < <(find "$target" -name '*.sample')
  cp "$root/.clang-format" "$target/"
  # The stage lies inside the checkout's ignored build tree; its own repository makes its files count.
  git -C "$target" init -q 2>/dev/null
  printf '%s\n' "$target"
}

plugin_rule() { # RULE, then pairs PLUGIN TEXT
  local rule="$1"
  shift
  accepts "$rule" "$tree" "$built" well_behaved
  while (($#)); do
    refuses "$2" "$rule" "$tree" "$built" "$1"
    shift 2
  done
}

prove_format() {
  accepts format "$(sample_tree format/good)" "$stage"
  refuses "run ./dev fmt" format "$(sample_tree format/bad)" "$stage"
}

prove_file_length() {
  local bad
  accepts file_length "$(sample_tree file_length/good)" "$stage"
  bad="$(sample_tree file_length/bad)"
  seq 501 | sed 's|^|// |' >"$bad/long.cpp"
  refuses "has 501 lines" file_length "$bad" "$stage"
}

prove_no_private_paths() {
  local bad w=work
  bad="$(sample_tree no_private_paths/bad)"
  echo "see /usr/share/doc" >"$bad/README.md"
  accepts no_private_paths "$bad" "$stage"
  echo "see /$w/main/README.md" >>"$bad/README.md"
  refuses "README.md:2" no_private_paths "$bad" "$stage"
}

prove_self_contained_headers() {
  local bad
  accepts self_contained_headers "$(sample_tree self_contained_headers/good)" "$stage"
  bad="$(sample_tree self_contained_headers/bad)"
  refuses "does not compile alone as C11" self_contained_headers "$bad" "$stage"
  refuses "two.hpp: does not compile alone as C++20" self_contained_headers "$bad" "$stage"
}

prove_node_audit_is_apart() {
  accepts node_audit_is_apart "$root" "$stage"
  # An SDK whose audit takes any document at all: the attempts compile, and the rule must say so.
  local loose="$stage/loose"
  rm -rf "$loose"
  mkdir -p "$loose/sdk"
  cp -a "$root/sdk/include" "$loose/sdk/"
  sed -i 's|^struct AuditEntry {|&\n  AuditEntry() = default;\n  template <typename Any>\n  AuditEntry(const Any\&) {}  // NOLINT|' \
    "$loose/sdk/include/plexsphere/sdk/ports/audit.hpp"
  refuses "reaches the platform chain" node_audit_is_apart "$loose" "$stage"
}

prove_poison_headers() {
  plugin_rule poison_headers signs "is compiled without poison.h"
  local message
  # What the poison is for: the sample that includes Poco builds without it and must not with it.
  if message="$(printf '#include <Poco/Types.h>\n' | g++ -std=c++20 -fsyntax-only -include "$here/poison.h" -x c++ - 2>&1)"; then
    echo "NOT PROVED: a Poco header compiles behind poison.h"
    exit 1
  elif [[ "$message" != *'poisoned "Poco"'* ]]; then
    printf 'NOT PROVED: a Poco header fails for another reason:\n%s\n' "$message"
    exit 1
  fi
  printf '#include <string>\n#include <nlohmann/json.hpp>\n' |
    g++ -std=c++20 -fsyntax-only -include "$here/poison.h" -x c++ -
  echo "ok: poison.h stops a Poco header and lets the allowed ones through"
}

prove_exceptions() {
  local list="$stage/exceptions.txt" used="$stage/used.txt"
  export BOUNDARY_EXCEPTIONS="$list"
  echo "no_direct_persistence | excused_pq | libpq.so.* | a reason" >"$list"
  accepts exceptions "$root" "$stage"
  echo "no_direct_persistence|excused_pq|libpq.so.*" >"$used"
  BOUNDARY_USED="$used" accepts exceptions "$root" "$stage"
  : >"$used"
  BOUNDARY_USED="$used" refuses "excuses nothing any more" exceptions "$root" "$stage"
  echo "no_direct_persistence | excused_pq | libpq.so.* |" >"$list"
  refuses "gives no reason" exceptions "$root" "$stage"
  echo "no_such_rule | x | y | z" >"$list"
  refuses "names a rule that does not exist" exceptions "$root" "$stage"
  # And an exception does excuse, but only the one it names.
  export BOUNDARY_EXCEPTIONS="$here/samples/exceptions.txt"
  accepts no_direct_persistence "$tree" "$built" excused_pq
  refuses "libpq.so" no_direct_persistence "$tree" "$built" links_pq
}

case "$what" in
  stage) build_samples ;;
  cross_context_includes)
    plugin_rule cross_context_includes includes_neighbour "well_behaved/src/domain/greeting.hpp" \
      includes_poco "/usr/include/Poco/Version.h" ;;
  domain_is_pure) plugin_rule domain_is_pure impure_domain "nlohmann/json_fwd.hpp" ;;
  no_direct_persistence) plugin_rule no_direct_persistence links_pq "is linked with libpq.so.5" ;;
  no_default_http_client)
    plugin_rule no_default_http_client opens_socket "refers to socket" links_pq "refers to PQlibVersion" ;;
  cannot_sign)
    plugin_rule cannot_sign signs "by crypto_sign_detached" names_signing "by crypto_sign_detached" ;;
  one_exported_symbol)
    plugin_rule one_exported_symbol exports_two "exports a_second_door" \
      leaves_undefined "leaves a_function_of_the_host undefined" ;;
  *) "prove_$what" ;;
esac
