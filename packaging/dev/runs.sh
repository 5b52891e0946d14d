# bench and soak: every NAME is a folder tests/{bench,soak}/NAME with a run.sh. It gets a release build,
# unless a file `preset` beside run.sh names another.

available_runs() {
  local kind="$1" file
  for file in "$root"/tests/"$kind"/*/; do
    [[ -f "$file/run.sh" ]] && basename "$file"
  done
  return 0
}

# preset_of FOLDER: whose build its run.sh gets.
preset_of() {
  local preset=release
  if [[ -f "$1/preset" ]]; then preset="$(<"$1/preset")"; fi
  is_preset "$preset" || die "${1#"$root"/}/preset names \"$preset\"; there are: $presets"
  printf '%s\n' "$preset"
}

# run_named KIND NAME ARGS…: a folder tests/KIND/NAME with a run.sh is a run. Their programs are the
# build targets `benches` and `soaks`.
run_named() {
  local kind="$1" name="${2:-}" have folder preset targets=benches
  have="$(available_runs "$kind" | tr '\n' ' ')"
  folder="$root/tests/$kind/$name"
  if [[ -z "$name" || ! -f "$folder/run.sh" ]]; then
    die "$kind: ${name:+there is no \"$name\" yet; }these exist: ${have:-none}"
  fi
  shift 2
  if [[ "$kind" == soak ]]; then targets=soaks; fi
  preset="$(preset_of "$folder")"
  build_preset "$preset" product "$targets"
  ensure_state_dir
  PLEXSPHERE_BUILD_DIR="$(build_dir "$preset")" bash "$folder/run.sh" "$@"
}

verb_bench() { run_named bench "$@"; }
verb_soak() { run_named soak "$@"; }
