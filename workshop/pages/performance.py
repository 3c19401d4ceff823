"""Tables of docs/performance.md, from the recipes and from benchmarks/results."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cascade_qec.tables import read_rows
from cascade_qec.training import load_recipe
from workshop import CHECKOUT, RESULTS
from workshop.pages.text import filled, table
from workshop.speed import ConvolutionRow, TrainingRow, floor

H200_MATRIX, H200_COPY = 790e12, 4.3e12
"""What an H200 reaches in bfloat16, operations and bytes per second; assumed until `cascade bench` measures one."""


PAGE = CHECKOUT / "docs" / "performance.md"


def with_tables(text: str) -> str:
    """The page with every table as recipes and results have it."""
    for name, lines in (
        ("floors", floors()),
        ("training on a CPU", training(RESULTS / "training_cpu.csv")),
        ("convolution on a CPU", convolutions(RESULTS / "convolution_cpu.csv")),
        ("loss curves on a CPU", curves(RESULTS / "loss_curves_cpu.csv")),
        ("training in bfloat16 on a CPU", training(RESULTS / "training_cpu_bfloat16.csv")),
        ("loss curves in bfloat16 on a CPU", curves(RESULTS / "loss_curves_cpu_bfloat16.csv")),
        ("training on a GPU", training(RESULTS / "training_cuda.csv")),
        ("convolution on a GPU", convolutions(RESULTS / "convolution_cuda.csv")),
    ):
        text = filled(text, name, lines)
    return text


def floors() -> list[str]:
    rows = []
    recipes = sorted(set((CHECKOUT / "recipes").glob("*.toml")) - {CHECKOUT / "recipes" / "queue.toml"})
    for path in [*recipes, *sorted((CHECKOUT / "benchmarks/recipes").glob("*.toml"))]:
        recipe = load_recipe(path)
        if recipe.head == "local":
            continue  # the floor is of networks with a logical head
        least, network = floor(recipe), recipe.network
        rows.append(
            [
                recipe.name,
                f"{recipe.code}, {recipe.rounds}",
                f"{network.width}, {network.depth}",
                f"{least.parameters / 1e6:.2f}",
                f"{least.sites:.0f}",
                short(least.operations / 1e9),
                f"{100 * least.training['convolution'] / least.operations:.0f} %",
                short(least.bytes / 1e6),
                f"{least.operations / least.bytes:.0f}",
                number(least.shots_by_operations(H200_MATRIX)),
                number(least.shots_by_operations(0.4 * H200_MATRIX)),
                number(least.shots_by_bytes(H200_COPY)),
            ]
        )
    head = ["recipe", "code, rounds", "H, L", "10^6 parameters", "sites", "GFLOP", "of it convolution", "MB", "FLOP/B"]
    return table([*head, "shots/s by FLOP", "at 40 %", "by bytes"], rows, left=3)


def training(path: Path) -> list[str]:
    if not path.exists():
        return ["Not measured yet."]
    rows = read_rows(path, TrainingRow)
    columns = ["recipe", "variant", "threads", "shots", "shots/s", "per core second", "step ms", "forward", "backward"]
    columns += ["update", "data", "FLOP share", "byte share", "of stock"]
    return [
        *table(
            columns,
            [
                [
                    row.recipe,
                    row.variant,
                    str(row.threads),
                    f"{row.micro_batches} x {row.shots} x {row.bases}",
                    number(row.shots_per_second),
                    "" if row.shots_per_core_second is None else number(row.shots_per_core_second),
                    *(
                        short(ms)
                        for ms in (row.step_ms, row.forward_ms, row.backward_ms, row.optimizer_ms, row.data_ms)
                    ),
                    f"{100 * row.utilisation:.1f} %",
                    f"{100 * row.copy_share:.1f} %",
                    "" if row.ratio_to_stock is None else f"{row.ratio_to_stock:.2f}",
                ]
                for row in rows
            ],
            left=2,
        ),
        "",
        *measured_on(rows),
        *dict.fromkeys(
            f"* {row.recipe}, threads {row.threads}: at best {row.matrix_rate / 1e9:,.0f} GFLOP/s, "
            f"{row.copy_rate / 1e9:,.0f} GB/s in the same run."
            for row in rows
        ),
    ]


def convolutions(path: Path) -> list[str]:
    if not path.exists():
        return ["Not measured yet."]
    rows = read_rows(path, ConvolutionRow)
    columns = [
        "recipe",
        "variant",
        "relations",
        "channels",
        "shots",
        "forward ms",
        "backward ms",
        "GFLOP/s",
        "of stock",
    ]
    cells = [
        [
            row.recipe,
            row.variant,
            row.relations,
            str(row.channels),
            f"{row.shots} x {row.bases}",
            short(row.forward_ms),
            short(row.backward_ms),
            number(1000 * row.tflops),
            "" if row.ratio_to_stock is None else f"{row.ratio_to_stock:.2f}",
        ]
        for row in rows
    ]
    return [*table(columns, cells, left=2), "", *measured_on(rows)]


def curves(path: Path) -> list[str]:
    if not path.exists():
        return ["Not measured yet."]
    names, *lines = csv.reader(path.read_text().splitlines())
    values = np.array([line[:4] for line in lines], dtype=float)
    picked = [row for row in values if row[0] % 100 == 0 or row[0] <= 20]
    return table(names[:4], [[f"{row[0]:.0f}", *(f"{x:.5f}" for x in row[1:])] for row in picked], left=0)


def measured_on(rows: Sequence[TrainingRow] | Sequence[ConvolutionRow]) -> list[str]:
    return list(dict.fromkeys(f"* {row.hardware}; {row.precision}; {row.versions}" for row in rows))


def short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def number(value: float) -> str:
    """Three digits, since no more are ever measured."""
    digits = 10 ** max(0, len(str(int(value))) - 3)
    return f"{round(value / digits) * digits:,}"
