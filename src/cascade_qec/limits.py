"""The most of each number that the package takes, checked before any work is done.

Each is far above what experiments need. Beyond them a slip of the pen takes hours, or all the memory of the machine.
"""

ROUNDS = 10_000
"""Rounds of syndrome extraction in an experiment that is decoded in one piece."""

LOOP_ROUNDS = 10**9
"""Rounds in a circuit, whose loop is as long as one round: a thousand seconds at a microsecond each."""

DETECTORS = 100_000
"""Detectors of an experiment that is bound: its error model has some millions of entries then."""

EQUATIONS = 4 * 10**9
"""Bits of the matrix by which observables are recognised: 0.5 GB, as surface_d3 with 7,000 rounds has."""

OPERATIONS = 10_000_000
"""Instructions of a circuit or error model, loops counted as often as they run: they are unrolled one by one."""

DISTANCE = 101
"""Distance of a surface code; its 10,201 data qubits make check matrices of 50 MB."""

GROUP = 4096
"""Elements of a code's group, of which there is a table of products."""

QUBITS = 16_384
"""Data qubits of a code over a group, and checks of each basis: matrices of 270 MB, eliminated in a minute or more."""

SHOTS = 10**12
"""Shots that are counted one batch after another: years of decoding."""

KEPT = 10**7
"""Shots, or simulated data sets, of which each leaves something in memory."""

BATCH = 2**17
"""Shots that are in memory at once, for a micro-batch or a call."""

STEPS = 10**9
"""Steps of a training, and numbers that are counted in them."""

WIDTH, DEPTH = 4096, 256
"""Channels of a network, and its blocks."""

WEIGHTS = 10**9
"""Trained numbers of a network, about: 4 GB, and three times as much in training."""

PROCESSES = 1024
"""Processes or threads that are started."""

SEED = 2**63 - 1
"""Stim takes seeds of 64 bits, safetensors and TOML signed ones."""

SECONDS = 10**8
"""Time that a command may be given, three years; more minutes than that are refused as well."""
