"""``python -m cascade_qec``: the command line, for torchrun and where `cascade` is not on the path."""

import sys

from cascade_qec.cli import main

sys.exit(main())
