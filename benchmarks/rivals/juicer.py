"""What Data-Juicer's operators say of a file, run by a Python that has py-data-juicer: `juicer.py ROWS HELD_OUT [tuned]`.

Imports nothing of truetune. Its operators see one text a row (prompt and answer). A row that a deduplicator drops, or that the
redaction changes, counts as flagged. Prints one line of JSON: lines by operator and CPU seconds.
"""

import json
import resource
import sys
from pathlib import Path

TUNED = {"window_size": 1, "num_permutations": 180, "num_bands": 30, "num_rows_per_band": 6}
"""The settings of `benchmarks/speed/near_duplicates.py` with the fewest false alarms."""


def texts_of(path: Path) -> list[tuple[int, str]]:
    """Prompt and answer of each line in which they can be found."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            turns = json.loads(line)["messages"]
            found.append((number, "\n".join(str(turn["content"]) for turn in turns if turn.get("role") != "system")))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def main() -> None:
    """Run the operators and report."""
    import datasets  # noqa: PLC0415 - its own environment
    from data_juicer.ops.deduplicator.document_deduplicator import DocumentDeduplicator  # noqa: PLC0415
    from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator  # noqa: PLC0415
    from data_juicer.ops.mapper.pii_redaction_mapper import PiiRedactionMapper  # noqa: PLC0415
    from loguru import logger  # noqa: PLC0415

    logger.remove()
    datasets.disable_progress_bars()
    rows = texts_of(Path(sys.argv[1]))
    data = datasets.Dataset.from_dict({"text": [text for _, text in rows], "line": [number for number, _ in rows]})
    flags: dict[str, list[int]] = {}
    for name, operator in (
        ("document_deduplicator", DocumentDeduplicator(lowercase=True)),
        ("document_minhash_deduplicator", DocumentMinhashDeduplicator(**(TUNED if sys.argv[3:] else {}))),
    ):
        kept, _ = operator.process(data.map(operator.compute_hash))
        flags[name] = sorted(set(data["line"]) - set(kept["line"]))
    mapper = PiiRedactionMapper()
    redacted = mapper.process_batched({"text": list(data["text"])})["text"]
    flags["pii_redaction_mapper"] = [number for (number, text), after in zip(rows, redacted, strict=True) if after != text]
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(part.ru_utime + part.ru_stime for part in used)
    print(json.dumps({"flags": flags, "quiet": {}, "counts": {}, "cpu_s": cpu_s, "notes": []}))


if __name__ == "__main__":
    main()
