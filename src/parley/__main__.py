"""``python -m parley``. Engine processes import this file again, so it does nothing by itself."""

import sys

from parley.cli import main

if __name__ == "__main__":
    sys.exit(main())
