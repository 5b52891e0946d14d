# Debian packages: root installs what is missing, anyone else is told the exact command.

packages_file="$root/packaging/build-deps/debian-12.txt"

# wanted_packages FILE: one a line.
wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"; }

# missing_packages FILE: the wanted ones dpkg does not know as installed, one a line.
missing_packages() {
  comm -23 <(wanted_packages "$1" | sort -u) \
    <(wanted_packages "$1" | xargs dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u)
}

# install_packages NAME…: without starting a service that comes with one: what is needed is run
# privately, and this may be somebody's own machine.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e "$policy" ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
  fi
  apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >&2 </dev/null
)

# ensure_packages [FILE]: everything in that list, which is the build's when none is named.
ensure_packages() {
  local list="${1:-$packages_file}" missing
  command -v dpkg-query >/dev/null ||
    die "this is not Debian: install the equivalents of ${list#"$root"/} and build with cmake --preset dev"
  mapfile -t missing < <(missing_packages "$list")
  ((${#missing[@]})) || return 0
  if ! is_root; then
    printf './dev: these packages are missing; install them and run ./dev again:\n\n' >&2
    printf '  sudo apt-get install --no-install-recommends %s\n\n' "${missing[*]}" >&2
    exit 1
  fi
  timed "apt-get update" apt-get -q -o Acquire::Retries=3 update >&2 </dev/null ||
    die "apt-get update failed; see its message above"
  timed "installing ${#missing[@]} packages: ${missing[*]}" \
    install_packages "${missing[@]}" ||
    die "apt-get install failed; see its message above"
}
