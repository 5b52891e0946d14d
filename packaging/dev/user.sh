# PostgreSQL refuses to run as root, and our services need no privilege: as root, everything that
# runs is dropped to one unprivileged system user, and all its state lies in a directory it owns.
# As a plain user, that user is the caller.

dev_user_name=plexsphere-dev

# ensure_user: makes the service user exist (root only; a plain user already is one).
ensure_user() {
  if ! is_root || getent passwd "$dev_user_name" >/dev/null; then
    return 0
  fi
  say "creating the system user $dev_user_name"
  local useradd
  useradd="$(PATH="$PATH:/usr/sbin:/sbin" command -v useradd)" || die "useradd is missing; install the package passwd"
  "$useradd" --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$dev_user_name" ||
    die "useradd could not create $dev_user_name; see its message above"
}

service_user() { if is_root; then printf '%s\n' "$dev_user_name"; else id -un; fi; }
service_uid() { id -u "$(service_user)"; }

# state_dir: where data and sockets live. /var/tmp outlives a reboot and is there for every user.
state_dir() { printf '%s\n' "${PLEXSPHERE_DEV_STATE:-/var/tmp/plexsphere-dev-$(service_uid)}"; }

# ensure_state_dir: creates it, and refuses one that somebody else put in our place: in a directory
# everybody may write to, a name that can be guessed proves nothing.
ensure_state_dir() {
  local dir owner
  dir="$(state_dir)"
  owner="$(service_uid)"
  if [[ ! -e "$dir" && ! -L "$dir" ]]; then
    mkdir -m 0700 -p "$dir"
    if is_root; then chown "$dev_user_name:$dev_user_name" "$dir"; fi
  fi
  if [[ -L "$dir" || ! -d "$dir" || "$(stat -c %u "$dir")" != "$owner" ]]; then
    die "$dir is not a directory owned by $(service_user): remove it, or set PLEXSPHERE_DEV_STATE to another place"
  fi
}

# as_service COMMAND…: run it as the service user, without root's groups or capabilities.
as_service() {
  if is_root; then
    setpriv --reuid="$dev_user_name" --regid="$dev_user_name" --init-groups --inh-caps=-all \
      env HOME="$(state_dir)" USER="$dev_user_name" LOGNAME="$dev_user_name" "$@"
  else
    "$@"
  fi
}

# reachable_tree BUILD: prints a directory with bin/ and plugins/ that the service user can read.
# A checkout below /root or another closed directory is out of its reach: there, a copy is kept in
# the state directory and refreshed when it differs.
reachable_tree() {
  local build="$1" copy
  if as_service test -x "$build/bin/plexsphere" -a -r "$build/plugins" 2>/dev/null; then
    printf '%s\n' "$build"
    return
  fi
  copy="$(state_dir)/tree"
  mkdir -p "$copy"
  rm -rf "$copy/bin" "$copy/plugins"
  cp -a --reflink=auto "$build/bin" "$build/plugins" "$copy/"
  chmod -R u=rwX,go=rX "$copy"
  if is_root; then chown -R root:root "$copy"; fi
  printf '%s\n' "$copy"
}
