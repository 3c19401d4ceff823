#!/usr/bin/env bash
# Trains the queue's next models on a GPU for so many minutes, and copies what came of it.
#
#   benchmarks/gpu_train.sh FOLDER [MINUTES [ARGUMENTS]]      # 9 minutes unless told otherwise
#
# ARGUMENTS go to `python -m workshop train`, such as a model's name or --measure 0.5. FOLDER gets the new checkpoints, weights,
# cards and tables under the paths that they have here, and a log; `cp -r FOLDER/. .` takes them over. They are copied
# after each model and at the end, also when that is early. PYTHON names the interpreter (default: python3); the package
# need not be installed.
set -u
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [MINUTES [ARGUMENTS]]" >&2; exit 2; }
mkdir -p "$1" || exit 2
out=$(cd "$1" && pwd)
minutes=${2:-9}
shift $(($# < 2 ? $# : 2))
cd "$(dirname "$0")/.." || exit 2
python=${PYTHON:-python3}
export PYTHONPATH="$PWD/src:$PWD${PYTHONPATH:+:$PYTHONPATH}"
end=$((SECONDS + $(awk -v minutes="$minutes" 'BEGIN { printf "%d", 60 * minutes }')))
begun=$(mktemp)

copy() { # what is new since the beginning, written whole or not at all
  find checkpoints src/cascade_qec/zoo/models benchmarks/results -type f -newer "$begun" ! -name '.*' \
    -exec cp --parents -t "$out" {} + 2>/dev/null
  find "$out/checkpoints" -name 'checkpoint-*.bin' 2>/dev/null | while IFS= read -r part; do # parts since replaced
    [ -e "${part#"$out"/}" ] || rm -f "$part"
  done
}

child=
stop() { # the training stops after its step, and writes its checkpoint
  [ -n "$child" ] && kill -TERM "$child" 2>/dev/null && wait "$child"
  exit 143
}
trap 'copy; rm -f "$begun"' EXIT
trap stop TERM INT

status=0
while left=$((end - SECONDS)); [ $left -gt 40 ]; do
  "$python" -m workshop train --minutes "$(awk -v s=$((left - 10)) 'BEGIN { print s / 60 }')" "$@" >>"$out/train.log" 2>&1 &
  child=$!
  wait "$child"
  status=$?
  child=
  copy
  tail -n 4 "$out/train.log" | cut -c1-300
  [ $status -eq 0 ] || break
done
"$python" -m workshop queue | tee "$out/queue.txt"
exit $status
