"""Data-Juicer's minhash operator on a list of texts, run by a Python that has it: `near_duplicates_rival.py TEXTS SETTINGS`.

Imports nothing of truetune. Prints one line of JSON: CPU seconds from texts in memory to the rows that are kept, and those rows.
"""

import json
import resource
import sys
from pathlib import Path


def cpu_s() -> float:
    """User and system seconds of this process and its children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def main() -> None:
    """Deduplicate and report."""
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    settings = json.loads(sys.argv[2])
    import datasets  # noqa: PLC0415 - its own environment
    from data_juicer.ops.deduplicator.document_minhash_deduplicator import (  # noqa: PLC0415
        DocumentMinhashDeduplicator,
    )
    from loguru import logger  # noqa: PLC0415

    logger.remove()
    datasets.disable_progress_bars()
    start = cpu_s()
    data = datasets.Dataset.from_dict({"text": texts, "row": list(range(len(texts)))})
    operator = DocumentMinhashDeduplicator(**settings)
    kept, _ = operator.process(data.map(operator.compute_hash))
    rows = list(kept["row"])
    used = cpu_s() - start
    print(json.dumps({"cpu_s": used, "kept": rows, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
