#!/usr/bin/env bash
# check_model.sh MODEL [-DNAME[=VALUE]...] [fails]: searches all states of a Promela model. With `fails`, some assertion
# must be violated: the model with a planted bug.
set -euo pipefail
model=$1
shift
expected='errors: 0'
optimise=-O2
defines=()
for argument in "$@"; do
  if [[ $argument == fails ]]; then
    expected='errors: 1'
    optimise=-O0 # found at once: compiling is most of it
  else
    defines+=("$argument")
  fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
spin -a "${defines[@]}" "$model"
cc "$optimise" -w -DSAFETY -DCOLLAPSE -o pan pan.c
# -m: the longest path, in steps. A path that was cut is no search of all states.
./pan -m100000 >pan.log || true
grep -E 'assertion violated|invalid end state|max search depth|out of memory|states, stored|errors:' pan.log || true
if grep -qE 'max search depth|out of memory' pan.log; then exit 1; fi
grep -q "$expected" pan.log
