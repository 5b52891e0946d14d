# Debian packages: root installs what is missing, anyone else is told the exact command.

packages_file="$root/packaging/build-deps/debian-12.txt"

wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$packages_file"; }

# missing_packages: the wanted ones dpkg does not know as installed, one a line.
missing_packages() {
  comm -23 <(wanted_packages | sort -u) \
    <(wanted_packages | xargs dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
      awk '$1 == "installed" { print $2 }' | sort -u)
}

ensure_packages() {
  command -v dpkg-query >/dev/null ||
    die "this is not Debian: install the equivalents of ${packages_file#"$root"/} and build with cmake --preset dev"
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ! is_root; then
    printf './dev: these packages are missing; install them and run ./dev again:\n\n' >&2
    printf '  sudo apt-get install --no-install-recommends %s\n\n' "${missing[*]}" >&2
    exit 1
  fi
  timed "apt-get update" apt-get -q -o Acquire::Retries=3 update >&2 </dev/null ||
    die "apt-get update failed; see its message above"
  timed "installing ${#missing[@]} packages: ${missing[*]}" \
    apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" >&2 </dev/null ||
    die "apt-get install failed; see its message above"
}
