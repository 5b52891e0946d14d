# up: a private mesh on this machine. PostgreSQL, the signer and the core, all as the service user,
# all state below one directory; then agents enrol against it (plexd-sim), and every figure printed
# is read back from the API.
#
# `up` keeps its database in <state>/up from one run to the next; `up --once` makes a fresh one in a
# directory of its own, so that two of them never meet, and removes it when all went well.

source "$here/up_services.sh"

up_home='' up_once=no up_step=''

step() {
  up_step="$1"
  say "$1"
}

up_usage() {
  cat <<'TEXT'
usage: ./dev up [--once | --fresh]

  (nothing)   start on the kept database, enrol three nodes, stay until Ctrl-C
  --fresh     the same, after forgetting the kept database
  --once      on a database of its own: start, enrol, stop, remove it, exit 0
TEXT
}

verb_up() {
  while (($#)); do
    case "$1" in
      --once) up_once=yes ;;
      --fresh) up_fresh=yes ;;
      --help | -h) up_usage; return 0 ;;
      *) die "up: unknown argument \"$1\"; there are --once (walk, stop, exit) and --fresh (forget the kept database)" ;;
    esac
    shift
  done
  build_preset dev product plexd-sim
  trap 'stop_up $?' EXIT
  trap 'exit 130' INT TERM
  up_prepare
  up_start
  step "walk: enrol three nodes"
  up_walk
  if [[ "$up_once" == yes ]]; then
    up_finish_once
  else
    up_stay
  fi
}

# up_prepare: directories, secrets and configuration.
up_prepare() {
  step "prepare the state directory"
  ensure_state_dir
  if [[ "$up_once" == yes ]]; then
    up_home="$(as_service mktemp -d "$(state_dir)/once-XXXXXX")"
  else
    up_home="$(state_dir)/up"
    if [[ "${up_fresh:-no}" == yes ]]; then as_service rm -rf "$up_home"; fi
    as_service mkdir -p -m 0700 "$up_home"
    exec {up_lock}>"$up_home/lock"
    if ! flock -n "$up_lock"; then
      local other="$up_home"
      up_step='' up_home=''  # nothing of ours to show or stop
      die "another ./dev up is running on $other; stop it, or use ./dev up --once"
    fi
  fi
  up_tree="$(reachable_tree "$(build_dir dev)")"
  prepare_services
}

up_start() {
  step "start PostgreSQL"
  start_postgres
  step "migrate the schema"
  run_bootstrap_migrate
  step "make an operator credential"
  make_operator_token
  step "start the signer"
  start_signer
  step "start the core"
  start_core
}

# up_walk: the last line of its output is the closing line; it is kept for the end.
up_walk() {
  local sim="$up_tree/bin/plexd-sim"
  "$sim" walk --url "$up_url" --token-file "$up_home/secrets/operator.token" --nodes 3 --beats 2 |
    tee "$up_home/log/walk.log" ||
    die "the walk failed at the step named above; logs: $up_home/log"
  up_result="$(tail -n 1 "$up_home/log/walk.log")"
  [[ "$up_result" =~ ^enrolled=3\ heartbeats=[1-9][0-9]*\ chain=ok$ ]] ||
    die "the walk ended with \"$up_result\", not with three enrolled nodes and a good chain"
}

up_finish_once() {
  step "stop everything"
  stop_services || die "a service did not stop cleanly; logs: $up_home/log"
  as_service rm -rf "$up_home"
  up_home=''
  trap - EXIT
  printf '%s\n' "$up_result"
}

up_stay() {
  cat <<TEXT

  API        $up_url/v1   described at $up_url/v1/openapi.json
  health     $up_url/livez  $up_url/readyz  $up_url/metrics
  signer     $up_signer_url/readyz
  operator   $(<"$up_home/secrets/operator.token")
             curl -H "Authorization: Bearer \$TOKEN" $up_url/v1/domains
             ${up_tree#"$root"/}/bin/plexctl --server $up_url --token-file $up_home/secrets/operator.token whoami
  database   psql "$(service_dsn postgres)"$(is_root && printf '   (as %s)' "$dev_user_name")
  state      $up_home

$up_result
TEXT
  say "running; Ctrl-C stops everything"
  # Any of the three ending is the end of it: a mesh with a part missing is no mesh.
  wait -n "$postgres_pid" "$signer_pid" "$core_pid" || true
  die "a service ended by itself; logs: $up_home/log"
}

# stop_up STATUS: at exit, in whatever state we are. Ctrl-C in the foreground is a clean end.
stop_up() {
  local status="$1"
  trap - EXIT INT TERM
  if ((status != 0 && status != 130)) && [[ -n "$up_step" ]]; then
    printf './dev up: failed at: %s\n' "$up_step" >&2
    show_last_logs
  fi
  if [[ -n "$up_home" ]]; then
    say "stopping"
    stop_services || status=1
  fi
  if ((status == 130)) && [[ "$up_once" == no ]]; then status=0; fi
  exit "$status"
}
