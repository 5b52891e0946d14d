# build, fmt and package.

presets="dev release failpoints asan tsan"

is_preset() { [[ " $presets " == *" $1 "* ]]; }

build_dir() { printf '%s/build/%s\n' "$root" "$1"; }

# configure PRESET: quick when nothing changed, since CMake's own cache is kept.
configure() {
  local log
  log="$(build_dir "$1")/configure.log"
  mkdir -p "$(build_dir "$1")"
  if ! (cd "$root" && cmake --preset "$1") >"$log" 2>&1; then
    cat "$log" >&2
    die "configuring preset $1 failed; the whole output is above and in ${log#"$root"/}"
  fi
}

# build_preset PRESET [TARGET…]: installs, configures and builds.
build_preset() {
  local preset="$1"
  shift
  ensure_packages
  ensure_user
  timed "configure ($preset)" configure "$preset"
  timed "build ($preset, $jobs jobs)" run_ninja "$(build_dir "$preset")" "$@" || die "the build failed; see above"
}

# run_ninja DIR [TARGET…]: ninja rewrites its line on a terminal and would flood a log file, so a
# log gets a line at every twentieth step and everything that is not progress.
# Two runs in one build directory would corrupt each other's output, so the second waits.
run_ninja() {
  local dir="$1"
  shift
  if [[ -t 2 ]]; then
    flock "$dir/.ninja_run" ninja -C "$dir" -j "$jobs" "$@" >&2 </dev/null
    return
  fi
  NINJA_STATUS='[%f/%t] ' flock "$dir/.ninja_run" ninja -C "$dir" -j "$jobs" "$@" </dev/null 2>&1 |
    awk '!/^\[[0-9]+\/[0-9]+\] / { print; fflush(); next }
         { split(substr($1, 2), n, "[/\\]]"); if (n[1] % 20 == 0 || n[1] == n[2]) { print; fflush() } }' >&2
}

verb_build() {
  local preset="${1:-dev}"
  is_preset "$preset" || die "no preset \"$preset\"; there are: $presets"
  build_preset "$preset"
}

verb_fmt() {
  ensure_packages
  local files
  mapfile -t files < <(source_files '*.c' '*.h' '*.cpp' '*.hpp')
  ((${#files[@]})) || { say "no C or C++ files"; return 0; }
  (cd "$root" && clang-format -i "${files[@]}")
  say "formatted ${#files[@]} files"
}

verb_package() {
  die "package: there is no packaging recipe yet (it arrives with packaging/deb); build release binaries with ./dev build release"
}
