"""The whole matrix, printed: ``python -m faults`` in ``tests``; ``alone``: without standbys."""

import sys

from faults.matrix import cases, table
from faults.run import play

if __name__ == "__main__":
    chosen = cases(alone="alone" in sys.argv)
    print(table([play(case) for case in chosen]))  # noqa: T201
