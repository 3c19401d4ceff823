#!/usr/bin/env bash
# What docs/performance.md says of a CPU, into benchmarks/results (or the folder given): training steps on one and on
# two threads, the convolution alone, and a loss curve. About fifteen minutes. PYTHON names the interpreter.
set -eu
out=$(mkdir -p "${1:-$(dirname "$0")/results}" && cd "${1:-$(dirname "$0")/results}" && pwd)
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
export PYTHONPATH="$PWD/src:$PWD"
for threads in 1 2; do
  "$python" -m workshop bench-training benchmarks/recipes/bb72_trial.toml recipes/surface_d3.toml \
    recipes/surface_d5.toml recipes/bb72.toml --device cpu --precision bfloat16 --threads $threads --seconds 9 --profile \
    --out "$out/training_cpu.csv"
done
"$python" -m workshop bench-convolution recipes/surface_d5.toml recipes/bb72.toml recipes/surface_d7_large.toml \
  recipes/bb72_large.toml --device cpu --precision bfloat16 --threads 1 --shots 48 --out "$out/convolution_cpu.csv"
"$python" -m workshop.studies.loss_curves recipes/surface_d3.toml --shots 96 --threads 1 --device cpu --precision float32 \
  --out "$out/loss_curves_cpu.csv"
