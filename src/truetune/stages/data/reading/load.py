"""From files to a corpus: each record is read once and becomes a row, or a fault that says why it cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from truetune.core.config import DataConfig
from truetune.core.ports import NO_READERS, Progress, Readers
from truetune.core.records import DataFormat, SourceFile
from truetune.core.sensitive.masking import excerpt
from truetune.project.do_not_train.entries import DoNotTrainList
from truetune.stages.data.checks.preferences import pairs as preferences
from truetune.stages.data.checks.records.empty import CODE as EMPTY
from truetune.stages.data.checks.records.empty import empty_fault
from truetune.stages.data.checks.records.malformed import malformed_fault
from truetune.stages.data.checks.records.roles import CODE as ROLE
from truetune.stages.data.checks.records.roles import role_fault
from truetune.stages.data.checks.records.types import CODE as TYPE
from truetune.stages.data.checks.records.types import type_fault
from truetune.stages.data.corpus import Corpus, Fault, FileEncoding
from truetune.stages.data.profile import profile
from truetune.stages.data.reading.formats import FormatVote, conversation_of
from truetune.stages.data.reading.readers import Entry, ReadFile, reading
from truetune.stages.data.reading.sidecar import MetaReader, Provenance
from truetune.stages.data.rows.row import Row, row_of
from truetune.stages.data.rows.store import Joined, RowStore, StoredRows

_FAULT_TEXT_CHARACTERS = 400
_OUTLINE_TURNS = 12
_OUTLINE_CHARACTERS = 20
_ABSENT = object()
_GUESSED_FROM_ROWS = 1000


@dataclass(frozen=True)
class Loaded:
    """What was read from some files, in their order."""

    sources: Sequence[SourceFile]
    encodings: Sequence[FileEncoding]
    rows: StoredRows
    faults: Sequence[Fault]


@dataclass(frozen=True)
class HeldOut:
    """One side that training must not see: what it is called, and what was read for it."""

    name: str
    parts: Sequence[Loaded]

    @property
    def rows(self) -> Sequence[Row]:
        """The rows of all its parts."""
        return Joined(*(part.rows for part in self.parts))

    @property
    def sources(self) -> list[SourceFile]:
        """The files of all its parts."""
        return [source for part in self.parts for source in part.sources]


def load(
    paths: Sequence[tuple[Path, str]],
    name: DataFormat | None,
    progress: Progress,
    provenance: Provenance | None = None,
    scratch_dir: Path | None = None,
) -> Loaded:
    """The rows and faults of files, each given as (path, how findings name it).

    Args:
        paths: the files.
        name: their format; None tells each file's by its rows.
        progress: told what is being read.
        provenance: where the rows' metadata is; None looks for the known columns and for sidecars beside the files.
        scratch_dir: rows go to a file without a name in it; None is where the system keeps temporary files.

    Raises:
        DataError: a file that cannot be read as data at all.
        EnvironmentFault: there is no room for the rows.
    """
    loading = _Loading(RowStore(scratch_dir), provenance or Provenance())
    for number, (path, shown) in enumerate(paths):
        progress.update(number, len(paths), f"reading {shown}")
        loading.add(path, shown, name)
    return Loaded(loading.sources, loading.encodings, loading.store.sealed(), loading.faults)


class _Loading:
    """What has been read so far."""

    def __init__(self, store: RowStore, provenance: Provenance) -> None:
        self.store = store
        self.provenance = provenance
        self.sources: list[SourceFile] = []
        self.encodings: list[FileEncoding] = []
        self.faults: list[Fault] = []

    def add(self, path: Path, shown: str, named: DataFormat | None) -> None:
        """Read one more file. Its first records tell the format; where most of the later ones have another, it is read again."""
        name, faults_before = named or _first_guess(path, shown), len(self.faults)
        while True:
            self.store.begin_file(shown)
            vote, read = self._read(path, shown, name)
            elected = named or vote.winner(shown)
            if elected == name:
                break
            self.store.forget_file()
            del self.faults[faults_before:]
            name = elected
        self.encodings.append(FileEncoding(shown, read.encoding, read.latin1_lines))
        self.sources.append(
            SourceFile(
                path=shown,
                digest=read.digest,
                size_bytes=read.size_bytes,
                format=name,
                rows=read.entries,
                encoding=read.encoding,
            )
        )

    def _read(self, path: Path, shown: str, name: DataFormat) -> tuple[FormatVote, ReadFile]:
        vote, read = FormatVote(), reading(path, shown)
        meta_of = self.provenance.reader_of(path, shown)
        for entry in read:
            if entry.fault is None:
                vote.count(entry.value)
            made = row_or_faults(shown, entry, name, meta_of)
            if isinstance(made, Row):
                self.store.put(made)
            else:
                self.faults.extend(made)
        return vote, read.result()


def _first_guess(path: Path, shown: str) -> DataFormat:
    """The format of most of the first records that have one's keys; of all records where the first have none's.

    Raises:
        DataError: no record has the keys of any format.
    """
    vote = FormatVote()
    with closing(reading(path, shown)) as read:
        for number, entry in enumerate(read):
            if number >= _GUESSED_FROM_ROWS and vote.is_cast:
                break
            if entry.fault is None:
                vote.count(entry.value)
    return vote.winner(shown)


def row_or_faults(shown: str, entry: Entry, name: DataFormat, meta_of: MetaReader) -> Row | list[Fault]:
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
        (EMPTY, empty_fault(conversation)),
        (
            preferences.PROMPT_CODE,
            None if conversation.same_prompt else "the chosen and the rejected answer follow different prompts",
        ),
    ]
    faults = [_fault(code, shown, entry, message) for code, message in problems if message is not None]
    return faults or row_of(
        shown,
        entry.line,
        conversation.messages,
        conversation.rejected,
        conversation.desirable,
        conversation.negatives,
        meta_of(entry.value),
    )


def _fault(code: str, shown: str, entry: Entry, message: str) -> Fault:
    return Fault(code, shown, entry.line, message, _outline(entry.value))


def _outline(record: object) -> str:
    """A record as a person looks for a fault in it: of a conversation the beginning of every turn, of all else the JSON.

    A preference pair's fault may be in either side, so it is no mere conversation.
    """
    turns = (
        next((record[key] for key in ("messages", "conversations") if key in record), None)
        if isinstance(record, dict) and "chosen" not in record
        else None
    )
    if not isinstance(turns, list) or not turns:
        return _as_json(record)
    return " · ".join(map(_turn_outline, turns[:_OUTLINE_TURNS])) + (" · …" if len(turns) > _OUTLINE_TURNS else "")


def _turn_outline(turn: object) -> str:
    if not isinstance(turn, dict):
        return _short(turn)
    role, said = (next((turn[key] for key in keys if key in turn), _ABSENT) for keys in (("role", "from"), ("content", "value")))
    return f"{_short(role)}: {_short(said)}"


def _short(value: object) -> str:
    return excerpt(value if isinstance(value, str) else _as_json(value), _OUTLINE_CHARACTERS)


def _as_json(value: object) -> str:
    return "(missing)" if value is _ABSENT else json.dumps(value, ensure_ascii=False, default=str)[:_FAULT_TEXT_CHARACTERS]


def corpus_of(  # noqa: PLR0913 - all that a corpus is made of
    sources: Loaded,
    held_out: Sequence[HeldOut],
    config: DataConfig,
    provenance: Provenance,
    commercial: bool | None = None,
    answer_schema: str = "",
    *,
    do_not_train: DoNotTrainList | None = None,
    readers: Readers = NO_READERS,
) -> Corpus:
    """The corpus of what was read; held-out rows in the order in which they are given.

    Args:
        sources: the rows that would be trained on.
        held_out: those that training must not see, side by side; different sides must not share rows either.
        config: how to judge them.
        provenance: where their metadata came from.
        commercial: whether the tuned model is for commercial use; None where nobody said.
        answer_schema: the JSON schema that the user declares for the answers, as JSON; empty where there is none.
        do_not_train: what must never be trained on; None where there is no list.
        readers: the models that read the data.
    """
    parts = [part for side in held_out for part in side.parts]
    return Corpus(
        rows=sources.rows,
        held_out=Joined(*(part.rows for part in parts)),
        faults=sources.faults,
        held_out_faults=[fault for part in parts for fault in part.faults],
        encodings=[encoding for part in (sources, *parts) for encoding in part.encodings],
        profile=profile(sources.rows, config.task_shape, answer_schema),
        near_duplicate_jaccard=config.near_duplicate_jaccard,
        sidecars=provenance.sidecars,
        declared=provenance.declared,
        splits=config.splits,
        commercial=commercial,
        has_replay=config.replay is not None,
        do_not_train=do_not_train,
        names=readers.names,
        encoder=readers.meanings,
        sides=_sides(len(sources.rows), held_out),
    )


def _sides(start: int, held_out: Sequence[HeldOut]) -> list[tuple[str, range]]:
    sides = []
    for side in held_out:
        sides.append((side.name, range(start, start + len(side.rows))))
        start += len(side.rows)
    return sides
