# Shared by the rules. A rule is called as
#
#   rules/<rule>.sh ROOT BUILD [PLUGIN…]
#
# with a source tree, its build tree, and, for the proofs, the plugins to look at (default: all). It
# prints one line for each violation and exits 1, or prints nothing and exits 0. A rule that finds
# nothing to look at has proved nothing and fails too.
set -euo pipefail
export LC_ALL=C.UTF-8

rule="$(basename "$0" .sh)"
rules_home="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd -- "$1" && pwd -P)"
build="$(cd -- "$2" && pwd -P)"
shift 2
only=("$@")
failed=0

exceptions="${BOUNDARY_EXCEPTIONS:-$root/tests/boundaries/exceptions.txt}"

reviewed=()
if [[ -f "$exceptions" ]]; then
  mapfile -t reviewed < <(grep -E "^[[:space:]]*$rule[[:space:]]*[|]" "$exceptions" || true)
fi

# excused SUBJECT ITEM: is there a reviewed exception? The line that excused is noted in the file
# BOUNDARY_USED names, so that one which excuses nothing any more can be found.
excused() {
  local line name subject item reason
  for line in "${reviewed[@]}"; do
    IFS='|' read -r name subject item reason <<<"$line"
    name="${name// /}" subject="${subject// /}" item="${item# }"
    item="${item% }"
    # shellcheck disable=SC2053 # the exception's fields are patterns
    if [[ "$1" == $subject && "$2" == $item && -n "${reason// /}" ]]; then
      if [[ -n "${BOUNDARY_USED:-}" ]]; then
        printf '%s|%s|%s\n' "$name" "$subject" "$item" >>"$BOUNDARY_USED"
      fi
      return 0
    fi
  done
  return 1
}

# complain SUBJECT ITEM TEXT: a violation, unless it is excused.
complain() {
  if ! excused "$1" "$2"; then
    printf '%s: %s: %s\n' "$rule" "$1" "$3"
    failed=1
  fi
}

# plugins: the ids to look at, one a line.
plugins() {
  if ((${#only[@]})); then
    printf '%s\n' "${only[@]}"
    return
  fi
  local manifest
  for manifest in "$root"/plugins/*/plugin.toml; do
    [[ -f "$manifest" ]] && basename "$(dirname "$manifest")"
  done
  return 0
}

# module PLUGIN: its library in the build tree. One that was not built is a violation by itself.
module() { printf '%s/plugins/%s/%s.so\n' "$build" "$1" "$1"; }

# each_module FUNCTION: calls it with every plugin and its library.
each_module() {
  local plugin file seen=0
  while IFS= read -r plugin; do
    seen=1
    file="$(module "$plugin")"
    if [[ -f "$file" ]]; then
      "$1" "$plugin" "$file"
    else
      complain "$plugin" not-built "${file#"$build"/} was not built, so nothing is known about it"
    fi
  done < <(plugins)
  ((seen)) || complain all nothing "no plugin found below ${root}/plugins"
}

# symbols_matching FILE LIST [nm options]: names in FILE's symbol tables that a pattern of LIST
# (extended regular expressions, whole names) matches; the version after @ is cut off.
symbols_matching() {
  local file="$1" list="$2"
  { nm -D "$file" 2>/dev/null; nm "$file" 2>/dev/null; } |
    awk '{ name = $NF; sub(/@.*/, "", name); print name }' | sort -u |
    { grep -xE -f <(sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$list") || true; }
}

# tracked PATTERN…: files of the source tree under git pathspecs, new ones included.
tracked() {
  local file
  if git -c safe.directory="$root" -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
    while IFS= read -r file; do
      [[ -f "$root/$file" ]] && printf '%s\n' "$file"
    done < <(git -c safe.directory="$root" -C "$root" ls-files --cached --others --exclude-standard -- "$@")
    return 0
  fi
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  (cd "$root" && find . \( -path ./build -o -path ./.git \) -prune -o -type f \( -false "${names[@]}" \) -print) |
    sed 's|^\./||'
}

finish() { exit "$failed"; }
