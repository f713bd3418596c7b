"""`python -m benchmarks.simulate`: see `benchmarks/simulation`."""

import sys

from benchmarks.simulation.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
