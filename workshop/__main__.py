"""`python -m workshop`."""

import sys

from workshop.app import main

sys.exit(main())
