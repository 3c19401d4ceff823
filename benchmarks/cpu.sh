#!/usr/bin/env bash
# What docs/performance.md says of a CPU, into benchmarks/results (or the folder given): training steps on one thread, the
# convolution alone, and a loss curve. About ten minutes. PYTHON names the interpreter.
set -eu
out=$(mkdir -p "${1:-$(dirname "$0")/results}" && cd "${1:-$(dirname "$0")/results}" && pwd)
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
export PYTHONPATH="$PWD/src:$PWD"
"$python" -m workshop bench-training benchmarks/recipes/bb72_trial.toml recipes/surface_d3.toml recipes/surface_d5.toml \
  recipes/bb72.toml --variants native,reference,stock,stock-sites --device cpu --precision float32 --threads 1 --seconds 6 \
  --profile --out "$out/training_cpu.csv"
"$python" -m workshop bench-convolution recipes/surface_d5.toml recipes/bb72.toml recipes/surface_d7_large.toml \
  recipes/bb72_large.toml --device cpu --precision float32 --threads 1 --shots 48 --out "$out/convolution_cpu.csv"
"$python" -m workshop.studies.loss_curves recipes/surface_d3.toml --shots 96 --threads 1 --device cpu --precision float32 \
  --out "$out/loss_curves_cpu.csv"
