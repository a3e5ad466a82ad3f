"""Start Parley: ``python app.py`` on a laptop or a server, and a Space's entry.

Takes the same options as ``python -m parley serve``.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

if __name__ == "__main__":
    from parley.cli import main

    sys.exit(main(["serve", *sys.argv[1:]]))
