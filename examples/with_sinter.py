"""Collect failures with sinter: a shipped model beside PyMatching, over noise rates.

python examples/with_sinter.py [SHOTS]
"""

import sys

import sinter

import cascade_qec as cascade


def main(shots: int) -> None:
    decoder = cascade.load("surface_d3")
    tasks = [sinter.Task(circuit=decoder.experiment(p), json_metadata={"p": p}) for p in (0.003, 0.005)]
    stats = sinter.collect(
        num_workers=2,
        tasks=tasks,
        decoders=["cascade:surface_d3", "cascade:surface_d3@0.99", "pymatching"],  # @0.99 discards shots less sure
        custom_decoders=cascade.sinter_decoders(),
        max_shots=shots,
    )
    for row in sorted(stats, key=lambda row: (row.json_metadata["p"], row.decoder)):
        whose = f"p = {row.json_metadata['p']}, {row.decoder}"
        print(f"{whose}: {row.errors} errors, {row.discards} of {row.shots} shots discarded")


if __name__ == "__main__":  # sinter's workers read this file too
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
