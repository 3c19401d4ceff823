"""Compile every kernel for an NVIDIA chip, without one, and print what each takes of it.

    python -m workshop.studies.compiled_kernels [--capability 90] [--width 256] [--bottleneck 4] [--first] [--json]

For each kernel and tuning configuration: registers of a thread, bytes of its stack (spilled registers), shared
memory, and how many matrix instructions (wgmma, or mma) and 16-byte loads its code has. A configuration that spills,
or has no matrix instruction where the product is in 16 bits, is worth no one's time on the chip.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["TRITON_INTERPRET"] = "0"

import numpy as np
import torch
import triton
from rich.console import Console
from rich.table import Table
from triton.backends.compiler import GPUTarget
from triton.runtime.autotuner import Autotuner

from cascade_qec import codes, kernels
from cascade_qec.circuits import UniformDepolarizing, memory
from cascade_qec.components import Components
from cascade_qec.engine import LocalTables, LogicalTables, Tables, folded
from cascade_qec.error_models import Mechanisms, error_model
from cascade_qec.lattice import memory_lattice
from cascade_qec.model import NetworkSettings
from cascade_qec.nn import CascadeNetwork, Geometry, TorchProgram, state_of


class NoDevice:
    """What Triton asks of a driver when it only compiles."""

    def __init__(self, capability: int) -> None:
        self.target = GPUTarget("cuda", capability, 32)

    def get_current_target(self) -> GPUTarget:
        return self.target

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0


def compile_all(capability: int, width: int, bottleneck: int, *, first: bool) -> list[dict[str, Any]]:
    """Train and decode with every launch replaced by a compilation; one row for each."""
    triton.runtime.driver.set_active(NoDevice(capability))  # pyright: ignore[reportArgumentType]
    rows: list[dict[str, Any]] = []
    seen = set()

    def compile_instead(self: Autotuner, *args: Any, grid: Any, warmup: bool, **kwargs: Any) -> None:
        self.best_config = self.configs[0]
        for config in self.configs[:1] if first else self.configs:
            constants = {name: value for name, value in kwargs.items() if name in self.keys}
            types = " ".join(dict.fromkeys(str(one.dtype)[6:] for one in args if isinstance(one, torch.Tensor)))
            key = (self.base_fn.__name__, str(constants), str(config), types)
            if key in seen:
                continue
            seen.add(key)
            compiled = self.fn.run(*args, grid=(1,), warmup=True, **kwargs, **config.all_kwargs())
            rows.append(
                {"kernel": self.base_fn.__name__, **constants, "types": types, "config": config, **_resources(compiled)}
            )

    run, Autotuner.run = Autotuner.run, compile_instead
    try:
        for depthwise in (False, True):
            _train_step(width, bottleneck, depthwise)
        for precision, shots in (("bfloat16", 1), ("fp8", 64), ("bfloat16", 64), ("fp8", 1))[: 2 if first else 4]:
            _decode(width, bottleneck, precision, shots)
    finally:
        Autotuner.run = run
    return rows


def _train_step(width: int, bottleneck: int, depthwise: bool) -> None:
    settings = NetworkSettings(
        width=width, depth=1, bottleneck=bottleneck, convolution="bipartite", depthwise=depthwise
    )
    code = codes.get("bb72")
    network = CascadeNetwork(code, settings)
    geometry = Geometry([memory_lattice(code, 1, "Z")], "bipartite")
    states = torch.zeros(geometry.sites, 16, dtype=torch.uint8)
    with _as_if_there_were_a_chip():
        network(states, geometry, torch.bfloat16).sum().backward()


def _decode(width: int, bottleneck: int, precision: str, shots: int) -> None:
    """Decode some shots by a network of either head."""
    settings = NetworkSettings(width=width, depth=2, bottleneck=bottleneck, convolution="bipartite")
    code = codes.get("bb72")
    lattice = memory_lattice(code, 1, "Z")
    noisy = error_model(memory(code, rounds=1, noise=UniformDepolarizing(0.01)))
    components = Components.of(Mechanisms.of(noisy), lattice)
    logical = LogicalTables.of(lattice, "lightest", np.eye(code.k, dtype=np.uint8))
    packed = np.zeros((shots, -(-lattice.detectors // 8)), dtype=np.uint8)
    for types, head in ((None, logical), (len(components.types), LocalTables.of(components))):
        state = state_of(CascadeNetwork(code, settings, types))
        weights = folded(state, code, convolution="bipartite", depthwise=False)
        program = TorchProgram(weights, Tables.of(lattice, "bipartite"), head, torch.device("cpu"), precision)
        with _as_if_there_were_a_chip():
            program.evidence(packed)


@contextmanager
def _as_if_there_were_a_chip() -> Iterator[None]:
    """Triton's kernels are refused on a CPU, where they are only compiled."""
    with ExitStack() as patched:
        for module in (kernels, sys.modules[kernels.lattice_convolution.__module__]):
            patched.enter_context(mock.patch.object(module, "backend", return_value="triton"))
        patched.enter_context(kernels.use("triton"))
        yield


def _resources(compiled: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled.asm["cubin"])
        tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
        listing = subprocess.run([tool, "-res-usage", cubin], capture_output=True, text=True, check=True)
    usage = listing.stdout + listing.stderr
    registers, stack = (int(re.search(rf"{name}:(\d+)", usage)[1]) for name in ("REG", "STACK"))  # pyright: ignore
    ptx = compiled.asm["ptx"]
    return {
        "registers": registers,
        "stack": stack,
        "shared": compiled.metadata.shared,
        "matrix": len(re.findall(r"\bwgmma\.mma_async|\bmma\.sync", ptx)),
        "wide": len(re.findall(r"cp\.async\.cg\.shared\.global[^;]*0x10|ld\.global(?:\.\w+)*\.v4", ptx)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--capability", type=int, default=90)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--bottleneck", type=int, default=4)
    parser.add_argument("--first", action="store_true", help="only the first configuration of each kernel")
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    arguments = parser.parse_args()
    rows = compile_all(arguments.capability, arguments.width, arguments.bottleneck, first=arguments.first)
    if arguments.json:
        print(json.dumps(rows, default=str))
        return
    columns = ["registers", "stack", "shared", "matrix", "wide"]
    table = Table("kernel", "of", "types", "configuration", *columns)
    for row in rows:
        of = " ".join(f"{key}={row[key]}" for key in row if key.isupper())
        table.add_row(
            row["kernel"], of, row["types"], str(row["config"]).split(", num_ctas")[0], *(str(row[c]) for c in columns)
        )
    Console(width=240).print(table)


if __name__ == "__main__":
    main()
