"""The kernels as a GPU's compiler sees them: the interpreter takes what the compiler would refuse."""

import json
import os
import re
import subprocess
import sys

import pytest

from workshop import CHECKOUT


@pytest.mark.slow
def test_every_kernel_compiles_for_hopper_with_matrix_instructions_and_without_spills():
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    command = [
        sys.executable,
        "-m",
        "workshop.studies.compiled_kernels",
        "--first",
        "--json",
        "--capability",
        "90",
        "--width",
        "256",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    kernels = {row["kernel"] for row in rows}
    assert kernels == {
        "_moments",
        "_activate",
        "_activate_gradient",
        "_normalise_gradient",
        "_multiply",
        "_multiply_weight_gradient",
        "_convolve",
        "_convolve_weight_gradient",
        "_begin",
        "_convolve_folded",
        "_end_block",
        "_over_time",
        "_operators",
    }
    for row in rows:
        assert row["stack"] == 0, row
        product = re.search("_convolve|_multiply|_end_block|_operators", row["kernel"]) is not None
        assert row["shared"] <= 227 * 1024, row
        assert (row["matrix"] > 0) == (product and not row.get("DEPTHWISE", False)), row
