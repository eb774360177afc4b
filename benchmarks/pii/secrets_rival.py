"""A secret scanner from PyPI on a file of texts, offline; run by a Python that has it installed.

VENV/bin/python secrets_rival.py kingfisher|betterleaks texts.json      # prints {"cpu_s": ..., "flagged": [true, ...]}
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def kingfisher() -> Callable[[str], bool]:
    """kingfisher-secret-scanner with its bundled rules, the visible findings."""
    from kingfisher_sdk import Scanner  # noqa: PLC0415 - one of the two is installed or asked for

    scanner = Scanner()

    def flag(text: str) -> bool:
        scanner.reset_dedup()
        return any(finding.visible for finding in scanner.scan(text))

    return flag


def betterleaks() -> Callable[[str], bool]:
    """Pybetterleaks with its bundled rules; nothing is validated, so nothing is sent."""
    from pybetterleaks import scan_text  # noqa: PLC0415

    return lambda text: bool(scan_text(text).findings)


def main() -> None:
    """Scan and print."""
    flag = {"kingfisher": kingfisher, "betterleaks": betterleaks}[sys.argv[1]]()
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    flag("warm up")
    start = time.process_time()
    flagged = [flag(text) for text in texts]
    print(json.dumps({"cpu_s": time.process_time() - start, "flagged": flagged}))


if __name__ == "__main__":
    main()
