"""`truetune`, and `python -m truetune`: the command line, which also ends quietly where it is interrupted while it loads."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script."""
    try:
        from truetune.cli.main import app  # noqa: PLC0415 - what it imports can be interrupted, too
    except KeyboardInterrupt:
        sys.exit(130)
    app()


if __name__ == "__main__":
    main()
