"""Names of people in the 1,500 sentences of presidio-research: how many are found, how many finds are names, at what speed.

python -m benchmarks.pii.names        # needs the extra `pii`
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.pii.corpus import Text, Truth
from benchmarks.pii.run import count
from benchmarks.real_data import DataAbsentError, data_folder

from truetune.backends.spacy_names import SpacyNames


def sentences() -> list[Text]:
    """The sentences with the places of the names in them.

    Raises:
        DataAbsentError: the data set is not on this machine.
    """
    path = data_folder() / "presidio_pii_synth" / "synth_dataset_v2.json"
    if not path.is_file():
        raise DataAbsentError(f"{path.parent.name} is not in {data_folder()}; set TRUETUNE_SHARED_DATA to the folder that has it")
    rows = json.loads(path.read_text(encoding="utf-8"))
    names = [[s for s in row["spans"] if s["entity_type"] == "PERSON"] for row in rows]
    truths = [tuple(Truth("person", s["start_position"], s["end_position"]) for s in spans) for spans in names]
    return [Text(row["full_text"], truth) for row, truth in zip(rows, truths, strict=True)]


def main() -> int:
    """Measure and print; exit 3 where the data set is absent."""
    try:
        texts = sentences()
    except DataAbsentError as absent:
        print(absent, file=sys.stderr)
        return 3
    finder = SpacyNames()
    finder.find(["warm up"])
    start = time.process_time()
    found = finder.find([text.text for text in texts])
    cpu_s = time.process_time() - start
    counts = count(texts, [[(s.kind, s.start, s.end) for s in spans] for spans in found], ["person"])["person"]
    found_of = f"recall {counts.recall:.3f}, precision {counts.precision:.3f}"
    print(f"{counts.planted} names: {found_of}; {len(texts) / cpu_s:.0f} texts per CPU second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
