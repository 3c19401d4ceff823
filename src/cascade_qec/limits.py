"""The most of each number that the package takes, checked before any work is done.

Each is far above what experiments need. Beyond them a slip of the pen takes hours, or all the memory of the machine.
"""

ROUNDS = 10_000
"""Rounds of syndrome extraction in an experiment."""

DETECTORS = 100_000
"""Detectors of an experiment that is bound: its error model has some millions of entries then."""

OPERATIONS = 10_000_000
"""Instructions of a circuit or error model, loops counted as often as they run: they are unrolled one by one."""

DISTANCE = 101
"""Distance of a surface code that is named; its 10,201 data qubits make check matrices of 50 MB."""
