# The three services of ./dev up: how each is configured, started, awaited and stopped.

postgres_pid='' signer_pid='' core_pid=''
up_url='' up_signer_url='' up_tree='' up_result=''

# Seconds. The core's drain is bounded by its own grace of 25 s.
ready_limit=30 stop_limit=35

# launch NAME PROGRAM ARGS…: starts it as the service user in a session of its own (Ctrl-C is ours to
# handle, in order) and sets NAME_pid. It gets SIGTERM from the kernel if this script is killed.
launch() {
  local name="$1" drop=()
  shift
  if is_root; then
    drop=(--reuid="$dev_user_name" --regid="$dev_user_name" --init-groups --inh-caps=-all)
  fi
  setsid setpriv "${drop[@]}" --pdeathsig=TERM env -C / HOME="$(state_dir)" "$@" \
    >"$up_home/log/$name.log" 2>&1 </dev/null &
  printf -v "${name}_pid" '%s' "$!"
}

alive() { [[ -n "$1" ]] && kill -0 "$1" 2>/dev/null; }

# await LIMIT PID WHAT COMMAND…: until COMMAND succeeds; fails when the process is gone or time is up.
await() {
  local deadline=$((SECONDS + $1)) pid="$2" what="$3"
  shift 3
  until "$@" >/dev/null 2>&1; do
    alive "$pid" || die "$what ended while starting; logs: $up_home/log"
    ((SECONDS < deadline)) || die "$what was not ready in time; logs: $up_home/log"
    sleep 0.05
  done
}

# as_file MODE PATH: writes standard input to a file of the service user.
as_file() { as_service sh -c 'umask 077; cat >"$2" && chmod "$1" "$2"' sh "$1" "$2"; }

pg_programs() {
  local found
  found="$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"
  [[ -x "$found/postgres" ]] || die "no PostgreSQL server in /usr/lib/postgresql: install postgresql-15"
  printf '%s\n' "$found"
}

# service_dsn USER: over the private socket. The directory is open to the service user alone, which
# is what makes trust authentication in it no hole.
service_dsn() { printf 'host=%s/run port=5432 dbname=plexsphere user=%s' "$up_home" "$1"; }

prepare_services() {
  local dir
  for dir in run log etc secrets signer; do as_service mkdir -p -m 0700 "$up_home/$dir"; done
  # A socket's path has 107 bytes at most.
  ((${#up_home} < 80)) || die "the path $up_home is too long for unix sockets; set PLEXSPHERE_DEV_STATE to a shorter one"
  if [[ ! -s "$up_home/secrets/root.key" ]]; then
    head -c 32 /dev/urandom | as_file 0400 "$up_home/secrets/root.key"
    head -c 32 /dev/urandom | as_file 0400 "$up_home/secrets/signer.seed"
  fi
  render_core_config | as_file 0600 "$up_home/etc/plexsphere.toml"
  render_signer_config | as_file 0600 "$up_home/etc/plexsphere-signer.toml"
}

# Whoever built the plugins is whom the loader must trust here; it says so loudly.
render_plugins() {
  cat <<TEXT
[plugins]
directory = "$up_tree/plugins"
trusted_owner = $(stat -c %u "$up_tree/plugins")
TEXT
}

render_core_config() {
  render_plugins
  cat <<TEXT

[http]
drain_delay = "0s"

[database]
dsn = "$(service_dsn plexsphere_core)"
admin_dsn = "$(service_dsn postgres)"

[seal]
root_key_file = "$up_home/secrets/root.key"

[context.audit]
enabled = true

[context.authz]
enabled = true

[context.identity]
enabled = true

[context.mesh]
enabled = true

[context.meta]
enabled = true

[context.tenancy]
enabled = true

[context.signing_client]
enabled = true
target = "unix:$up_home/run/signer/signer.sock"
TEXT
}

render_signer_config() {
  render_plugins
  cat <<TEXT

[http]
drain_delay = "0s"

[context.signing]
enabled = true
listen = "unix:$up_home/run/signer/signer.sock"
seed_file = "$up_home/secrets/signer.seed"
state_directory = "$up_home/signer"
TEXT
}

start_postgres() {
  local programs
  programs="$(pg_programs)"
  if [[ ! -f "$up_home/data/PG_VERSION" ]]; then
    as_service rm -rf "$up_home/data"
    as_service env -C / "$programs/initdb" --pgdata="$up_home/data" --auth=trust --username=postgres \
      --encoding=UTF8 --no-locale --no-instructions --no-sync >"$up_home/log/initdb.log" 2>&1 ||
      die "initdb failed; see $up_home/log/initdb.log"
  fi
  launch postgres "$programs/postgres" -D "$up_home/data" -c listen_addresses= -c port=5432 \
    -c unix_socket_directories="$up_home/run" -c timezone=UTC -c logging_collector=off
  await "$ready_limit" "$postgres_pid" PostgreSQL \
    as_service "$programs/pg_isready" -q -h "$up_home/run" -p 5432
  if ! as_service "$programs/psql" -XAtq "host=$up_home/run port=5432 dbname=postgres user=postgres" \
    -c "SELECT 1 FROM pg_database WHERE datname = 'plexsphere'" | grep -q 1; then
    as_service "$programs/createdb" -h "$up_home/run" -p 5432 -U postgres plexsphere ||
      die "creating the database failed; logs: $up_home/log"
  fi
}

bootstrap() { as_service env -C / "$up_tree/bin/plexsphere-bootstrap" "$@" --config "$up_home/etc/plexsphere.toml"; }

run_bootstrap_migrate() {
  bootstrap migrate >"$up_home/log/migrate.log" 2>&1 ||
    die "the migrations failed; see $up_home/log/migrate.log (a changed one needs ./dev up --fresh)"
}

# make_operator_token: bootstrap shows it once, so it goes straight into a file of ours.
make_operator_token() {
  local file="$up_home/secrets/operator.token"
  [[ -s "$file" ]] && return 0
  bootstrap operator create --name dev 2>"$up_home/log/operator.log" |
    tr -s '[:space:]' '\n' | { grep -m 1 '^psk_' || true; } | as_file 0600 "$file"
  [[ -s "$file" ]] || die "plexsphere-bootstrap made no operator token; see $up_home/log/operator.log"
}

start_signer() {
  as_service rm -f "$up_home/run/signer.addr"
  as_service mkdir -p -m 0750 "$up_home/run/signer"
  launch signer "$up_tree/bin/plexsphere-signer" --config "$up_home/etc/plexsphere-signer.toml" \
    --addr 127.0.0.1:0 --addr-file "$up_home/run/signer.addr"
  await "$ready_limit" "$signer_pid" plexsphere-signer test -s "$up_home/run/signer.addr"
  up_signer_url="http://$(<"$up_home/run/signer.addr")"
  await "$ready_limit" "$signer_pid" plexsphere-signer curl -sf -m 2 "$up_signer_url/readyz"
}

# The documented port when it is free, so that what a newcomer copies works; any port otherwise.
core_address() {
  if [[ "$up_once" == no ]] && ! (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; then
    echo 127.0.0.1:8080
  else
    echo 127.0.0.1:0
  fi
}

start_core() {
  as_service rm -f "$up_home/run/core.addr"
  launch core "$up_tree/bin/plexsphere" --config "$up_home/etc/plexsphere.toml" \
    --addr "$(core_address)" --addr-file "$up_home/run/core.addr"
  await "$ready_limit" "$core_pid" plexsphere test -s "$up_home/run/core.addr"
  up_url="http://$(<"$up_home/run/core.addr")"
  await "$ready_limit" "$core_pid" plexsphere curl -sf -m 2 "$up_url/readyz"
}

# stop_one NAME SIGNAL: by process id; false when it had to be killed or ended with an error.
stop_one() {
  local name="$1" variable="${1}_pid" pid status=0 deadline=$((SECONDS + stop_limit))
  pid="${!variable}"
  [[ -n "$pid" ]] || return 0
  printf -v "$variable" ''
  kill "-$2" "$pid" 2>/dev/null || true
  while alive "$pid" && ((SECONDS < deadline)); do sleep 0.05; done
  if alive "$pid"; then
    say "$name did not stop within $stop_limit s and is killed"
    kill -KILL "$pid" 2>/dev/null || true
  fi
  wait "$pid" || status=$?
  ((status == 0)) || say "$name ended with status $status"
  return "$status"
}

# stop_services: in the order of dependence; each gets its chance whatever became of the one before.
stop_services() {
  local status=0
  stop_one core TERM || status=1
  stop_one signer TERM || status=1
  stop_one postgres INT || status=1
  return "$status"
}

show_last_logs() {
  local file
  for file in "$up_home"/log/*.log; do
    [[ -s "$file" ]] || continue
    printf -- '--- last lines of %s\n' "$file" >&2
    tail -n 5 "$file" >&2
  done
}
