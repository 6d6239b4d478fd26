#!/usr/bin/env bash
# Run parts of the tests one after another, all of them even when one fails, and sum up with times.
#
#   run.sh parts PART...          parts of `make test`
#   run.sh lint
#   run.sh molecule SCENARIO...   each scenario's output goes to build/molecule/SCENARIO.log and is shown when it fails
set -uo pipefail
cd "$(dirname "$0")/.." || exit

failed=()
summary=()

step() { # name command...
  local name=$1 started=$SECONDS verdict=passed
  shift
  "$@" || { verdict=FAILED && failed+=("$name"); }
  summary+=("$(printf '%-30s %s %5d s' "$name" "$verdict" $((SECONDS - started)))")
  echo "== ${summary[-1]}"
}

scenario() {
  local log=build/molecule/$1.log
  mkdir -p build/molecule
  echo "molecule: $1 (output in $log)"
  if ! NO_COLOR=1 molecule test --no-command-borders --scenario-name "$1" >"$log" 2>&1; then
    tail -n 150 "$log"
    return 1
  fi
}


kind=$1
shift
case $kind in
  parts) for part in "$@"; do step "make $part" make "$part"; done ;;
  lint)
    step ruff ruff check --quiet .
    step 'ruff format' ruff format --check --quiet .
    step yamllint yamllint --strict .
    step ansible-lint ansible-lint -q
    step 'ansible-test sanity' tests/sanity/run.sh
    ;;
  molecule) for name in "$@"; do step "molecule $name" scenario "$name"; done ;;
  *) echo "run.sh: no such kind: $kind" >&2 && exit 2 ;;
esac

printf '%s\n' '' "${summary[@]}"
if [ "${#failed[@]}" -gt 0 ]; then
  echo "$kind: ${#failed[@]} of ${#summary[@]} FAILED: $(printf '%s; ' "${failed[@]}")"
  exit 1
fi
echo "$kind: all ${#summary[@]} passed in $SECONDS s"
