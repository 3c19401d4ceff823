#!/usr/bin/env bash
# Everything that only a GPU can tell, in ten minutes at most: the kernels' tests, what decoding takes and what it loses in
# fewer bits, the training step of large recipes with a profile, the convolution alone, and the loss curves of our kernels
# beside stock PyTorch's.
#
#   benchmarks/gpu.sh FOLDER
#
# FOLDER gets the tables, the profiles, and a log of each part. A part that fails or runs out of its time is told, and
# the next one goes on; the exit status is the number of parts that failed. PYTHON names the interpreter (default:
# python3); the package need not be installed.
set -u
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/.." || exit 2
python=${PYTHON:-python3}
export PYTHONPATH="$PWD/src:$PWD${PYTHONPATH:+:$PYTHONPATH}"
failed=0

part() { # part NAME SECONDS COMMAND...: run with a log and a limit
  local name=$1 limit=$2 start=$SECONDS status
  shift 2
  timeout --kill-after=5 "$limit" "$@" >"$out/$name.log" 2>&1
  status=$?
  if [ $status -eq 0 ]; then
    echo "$name: done in $((SECONDS - start)) s"
  else
    failed=$((failed + 1))
    echo "$name: FAILED, exit status $status after $((SECONDS - start)) s of $limit; last lines of $name.log:"
    tail -n 12 "$out/$name.log" | cut -c1-300
  fi
  return $status
}

training() { # training RECIPE SECONDS
  part "training_$1" "$2" "$python" -m workshop bench-training "recipes/$1.toml" \
    --device cuda --precision bfloat16 --seconds 4 --profile --out "$out/training_cuda.csv" &&
    grep -A99 "recipe " "$out/training_$1.log"
}

nvidia-smi >"$out/nvidia-smi.txt" 2>&1

part tests 130 "$python" -m pytest -q -p no:cacheprovider tests/kernels tests/nn tests/engine tests/training/test_step.py tests/training/test_cuda.py

# decoding, single shots and batches; a wide network, which knows nothing, takes as long as one that has learnt
wide="$out/bb144_wide.safetensors"
"$python" -c "import sys; from cascade_qec.decoders.cascade import CascadeDecoder
CascadeDecoder.untrained('bb144', width=256, depth=12).save(sys.argv[1])" "$wide" >"$out/wide.log" 2>&1
latency() { # latency PRECISION SECONDS
  part "latency_$1" "$2" "$python" -m cascade_qec bench latency surface_d5 bb72 local_bb72 "$wide" --runtime torch --device cuda \
    --precision "$1" --shots 2000 --batch 1 --batch 64 --batch 1024 --seconds 2 --turns 4 --out "$out/latency_cuda_$1.csv" &&
    tail -n 30 "$out/latency_$1.log"
}
latency bfloat16 100
latency fp8 70
part precisions 30 "$python" -m workshop.studies.precisions --device cuda --shots 20000 --out "$out/gpu_precisions.csv"

training bb144_large 90
training surface_d7_large 40
training bb72_large 40
part convolution 40 "$python" -m workshop bench-convolution recipes/bb144_large.toml \
  --device cuda --precision bfloat16 --out "$out/convolution_cuda.csv" &&
  grep -A99 "recipe " "$out/convolution.log"
for precision in float32 bfloat16; do
  part "loss_$precision" 30 "$python" -m workshop.studies.loss_curves recipes/surface_d3.toml --steps 500 \
    --device cuda --variant triton --precision "$precision" --out "$out/loss_curves_$precision.csv" &&
    tail -n 3 "$out/loss_$precision.log"
done
exit $failed
