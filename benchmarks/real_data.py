"""Real public data sets as chat messages, so that the loop can be tried on rows that nobody here wrote.

    python -m benchmarks.real_data snips    tickets.jsonl --rows 400
    python -m benchmarks.real_data clinc150 tickets.jsonl --rows 400 --intents 8

Rows are drawn in equal shares per intent with a seed and written as they are: natural duplicates, leaks and double
labels stay in, because finding them is the data gate's work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DEFAULT_DATA = REPOSITORY.parent / "shared" / "data"


class DataAbsentError(Exception):
    """The data set is not on this machine; the message says where it was looked for."""


@dataclass(frozen=True)
class LabelledText:
    """A text and its intent, exactly as the data set gives them."""

    text: str
    intent: str


def data_folder() -> Path:
    """Where the real data sets lie: `TRUETUNE_SHARED_DATA`, or `shared/data` beside the repository."""
    return Path(os.environ.get("TRUETUNE_SHARED_DATA", DEFAULT_DATA))


def read_snips(folder: Path) -> dict[str, list[LabelledText]]:
    """SNIPS as `{"train": ..., "test": ...}`: 13,784 and 700 texts over 7 intents.

    One of the files is latin-1 and not UTF-8, a defect of the data set itself: it is decoded as such here.

    Raises:
        DataAbsentError: the folder has no SNIPS.
    """
    source = _existing(folder / "snips_nlu")
    splits: dict[str, list[LabelledText]] = {"train": [], "test": []}
    for pattern, split in (("train_*_full.json", "train"), ("validate_*.json", "test")):
        for path in sorted(source.glob(pattern)):
            splits[split] += _snips_file(path)
    return splits


def read_clinc150(folder: Path) -> dict[str, list[LabelledText]]:
    """CLINC150 as `{"train": ..., "test": ...}`: 15,000 and 4,500 texts over 150 intents; out-of-scope texts left out.

    Raises:
        DataAbsentError: the folder has no CLINC150.
    """
    path = _existing(folder / "clinc150_oos") / "data_full.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    return {split: [LabelledText(text, intent) for text, intent in document[split]] for split in ("train", "test")}


def read_alpaca_seeds() -> list[tuple[str, str]]:
    """The 175 hand-written seed tasks of Alpaca: what is asked, with its first input, and the answer.

    Raises:
        DataAbsentError: the folder has no seed tasks.
    """
    path = _existing(data_folder() / "alpaca_seed_tasks") / "seed_tasks.jsonl"
    tasks = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    firsts = [(task["instruction"], task["instances"][0]) for task in tasks]
    return [(f"{asked}\n{first['input']}".strip(), first["output"].strip()) for asked, first in firsts]


READERS = {"snips": read_snips, "clinc150": read_clinc150}


def system_prompt(intents: Sequence[str]) -> str:
    """The task in one sentence, with the labels that may be answered."""
    return f"Name the intent of the message. Answer with one label only: {', '.join(sorted(intents))}."


def as_messages(text: LabelledText, system: str) -> str:
    """The row as one line of chat messages."""
    turns = [("system", system), ("user", text.text.strip()), ("assistant", text.intent)]
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]}, ensure_ascii=False)


def draw(texts: Sequence[LabelledText], rows: int, intents: int, seed: int) -> list[LabelledText]:
    """`rows` texts over `intents` intents (all where there are fewer), the same number of each as far as it goes."""
    rng = random.Random(seed)
    names = sorted({t.intent for t in texts})
    chosen = sorted(rng.sample(names, min(intents, len(names))))
    piles = {name: [t for t in texts if t.intent == name] for name in chosen}
    for pile in piles.values():
        rng.shuffle(pile)
    turn = (piles[name][i] for i in range(max(map(len, piles.values()))) for name in chosen if i < len(piles[name]))
    drawn = [text for text, _ in zip(turn, range(rows), strict=False)]
    rng.shuffle(drawn)
    return drawn


def _snips_file(path: Path) -> list[LabelledText]:
    content = path.read_bytes()
    try:
        document = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        document = json.loads(content.decode("latin-1"))
    [(intent, rows)] = document.items()
    return [LabelledText("".join(piece["text"] for piece in row["data"]), intent) for row in rows]


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise DataAbsentError(f"{folder.name} is not in {folder.parent}; set TRUETUNE_SHARED_DATA to the folder that has it")
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    """Write the rows; exit 3 where the data set is absent."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_data", description="Real data as chat messages.")
    parser.add_argument("dataset", choices=sorted(READERS))
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--intents", type=int, default=8, help="how many intents to draw from (SNIPS has 7)")
    parser.add_argument("--seed", type=int, default=17)
    options = parser.parse_args(argv)
    try:
        texts = READERS[options.dataset](data_folder())["train"]
    except DataAbsentError as absent:
        print(absent, file=sys.stderr)
        return 3
    drawn = draw(texts, options.rows, options.intents, options.seed)
    system = system_prompt({text.intent for text in drawn})
    options.out.write_text("".join(as_messages(text, system) + "\n" for text in drawn), encoding="utf-8")
    print(f"{len(drawn)} rows, {len({t.intent for t in drawn})} intents -> {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
