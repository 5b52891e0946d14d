# Paths, messages and small helpers shared by every verb. Sourced by ./dev, which sets $root.

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
# A CI runner may start us without HOME; ccache, git and apt all want one.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"

jobs="${PLEXSPHERE_DEV_JOBS:-$(nproc)}"

# say TEXT…: one line of progress, on stderr so that verbs can keep stdout for results.
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

# die TEXT…: the cause and the remedy, then exit 1.
die() {
  printf './dev: %s\n' "$*" >&2
  exit 1
}

is_root() { [[ $(id -u) -eq 0 ]]; }

# git_here ARGS…: git in this checkout, also when its owner is not the caller (a CI mount).
git_here() { git -c safe.directory="$root" -C "$root" "$@"; }

# source_files PATTERN…: tracked and new files matching git pathspecs, relative to the root.
# New files count, so that a rule speaks before the commit and not after it. An unpacked tarball
# has no git to ask and is searched instead.
source_files() {
  if git_here rev-parse --git-dir >/dev/null 2>&1; then
    local file
    while IFS= read -r file; do
      [[ -f "$root/$file" ]] && printf '%s\n' "$file"
    done < <(git_here ls-files --cached --others --exclude-standard -- "$@")
    return 0
  fi
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  (cd "$root" && find . \( -path ./build -o -path ./.git \) -prune -o -type f \( -false "${names[@]}" \) -print) |
    sed 's|^\./||'
}

# timed LABEL COMMAND…: run a step and say how long it took.
timed() {
  local label="$1" start=$SECONDS status=0
  shift
  say "$label"
  "$@" || status=$?
  if ((status == 0)); then
    say "$label: $((SECONDS - start)) s"
  else
    say "$label: FAILED after $((SECONDS - start)) s"
  fi
  return "$status"
}
