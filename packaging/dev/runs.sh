# bench and soak: every NAME is a folder tests/{bench,soak}/NAME with a run.sh.

available_runs() {
  local kind="$1" file
  for file in "$root"/tests/"$kind"/*/; do
    [[ -f "$file/run.sh" ]] && basename "$file"
  done
  return 0
}

# run_named KIND NAME ARGS…: a folder tests/KIND/NAME with a run.sh is a run. Their programs are the
# build targets `benches` and `soaks`.
run_named() {
  local kind="$1" name="${2:-}" have targets=benches
  have="$(available_runs "$kind" | tr '\n' ' ')"
  if [[ -z "$name" || ! -f "$root/tests/$kind/$name/run.sh" ]]; then
    die "$kind: ${name:+there is no \"$name\" yet; }these exist: ${have:-none}"
  fi
  shift 2
  if [[ "$kind" == soak ]]; then targets=soaks; fi
  build_preset release product "$targets"
  ensure_state_dir
  PLEXSPHERE_BUILD_DIR="$(build_dir release)" bash "$root/tests/$kind/$name/run.sh" "$@"
}

verb_bench() { run_named bench "$@"; }
verb_soak() { run_named soak "$@"; }
