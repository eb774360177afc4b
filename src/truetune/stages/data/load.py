"""From files to a corpus: each record is read once and becomes a row, or a fault that says why it cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from truetune.core.ports import Progress
from truetune.core.records import DataFormat, SourceFile, TaskShape
from truetune.stages.data.checks import preferences
from truetune.stages.data.checks.empty import CODE as EMPTY
from truetune.stages.data.checks.empty import empty_fault
from truetune.stages.data.checks.malformed import malformed_fault
from truetune.stages.data.checks.roles import CODE as ROLE
from truetune.stages.data.checks.roles import role_fault
from truetune.stages.data.checks.types import CODE as TYPE
from truetune.stages.data.checks.types import type_fault
from truetune.stages.data.corpus import Corpus, Fault, FileEncoding
from truetune.stages.data.formats import conversation_of, detect_format
from truetune.stages.data.profile import profile
from truetune.stages.data.readers import Entry, read_file
from truetune.stages.data.rows import Row, row_of

_FAULT_TEXT_CHARACTERS = 400


@dataclass
class Loaded:
    """What was read from some files, in their order."""

    sources: list[SourceFile] = field(default_factory=list)
    encodings: list[FileEncoding] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def load(paths: Sequence[tuple[Path, str]], name: DataFormat | None, progress: Progress) -> Loaded:
    """The rows and faults of files, each given as (path, how findings name it).

    Raises:
        DataError: a file that cannot be read as data at all.
    """
    loaded = Loaded()
    for number, (path, shown) in enumerate(paths):
        progress.update(number, len(paths), f"reading {shown}")
        _load_file(loaded, path, shown, name)
    return loaded


def _load_file(loaded: Loaded, path: Path, shown: str, name: DataFormat | None) -> None:
    read = read_file(path, shown)
    name = name or detect_format((e.value for e in read.entries if e.fault is None), shown)
    for entry in read.entries:
        made = row_or_faults(shown, entry, name)
        if isinstance(made, Row):
            loaded.rows.append(made)
        else:
            loaded.faults.extend(made)
    loaded.encodings.append(FileEncoding(shown, read.encoding, read.latin1_lines))
    loaded.sources.append(
        SourceFile(
            path=shown,
            digest=read.digest,
            size_bytes=read.size_bytes,
            format=name,
            rows=len(read.entries),
            encoding=read.encoding,
        )
    )


def row_or_faults(shown: str, entry: Entry, name: DataFormat) -> Row | list[Fault]:
    """The row of an entry, or everything that keeps it from being one."""
    malformed = malformed_fault(shown, entry)
    if malformed is not None:
        return [malformed]
    wrong_type = type_fault(entry.value, name)
    if wrong_type is not None or not isinstance(entry.value, dict):
        return [_fault(TYPE, shown, entry, wrong_type or "")]
    conversation = conversation_of(entry.value, name)
    problems = [
        (ROLE, role_fault(conversation.messages)),
        (EMPTY, empty_fault(conversation.messages, conversation.rejected)),
        (
            preferences.PROMPT_CODE,
            None if conversation.same_prompt else "the chosen and the rejected answer follow different prompts",
        ),
    ]
    faults = [_fault(code, shown, entry, message) for code, message in problems if message is not None]
    return faults or row_of(shown, entry.line, conversation.messages, conversation.rejected)


def _fault(code: str, shown: str, entry: Entry, message: str) -> Fault:
    text = json.dumps(entry.value, ensure_ascii=False, default=str)[:_FAULT_TEXT_CHARACTERS]
    return Fault(code, shown, entry.line, message, text)


def corpus_of(sources: Loaded, held_out: Loaded, near_duplicate_jaccard: float, shape: TaskShape | None = None) -> Corpus:
    """The corpus of what was read."""
    return Corpus(
        rows=tuple(sources.rows),
        held_out=tuple(held_out.rows),
        faults=tuple(sources.faults),
        held_out_faults=tuple(held_out.faults),
        encodings=(*sources.encodings, *held_out.encodings),
        profile=profile(sources.rows, shape),
        near_duplicate_jaccard=near_duplicate_jaccard,
    )
