"""The user's files with the policies applied, in their own format: a new version beside the earlier ones, or none at all.

A version is a folder with a number. It is filled under another name and gets its own in one step, so that a kill at any moment
leaves every earlier version as it was and no half of a new one. The user's files are read twice and never written.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from truetune import __version__
from truetune.core.config import DataConfig
from truetune.core.errors import DataError, EvidenceError, UsageError
from truetune.core.ports import NO_READERS, Message, Progress, Readers, RowEngine
from truetune.core.records import CurationRecord, GateState, RowRef, SourceFile
from truetune.core.sensitive.masking import excerpt
from truetune.core.units import plural
from truetune.evidence import atomic
from truetune.evidence.digests import file_digest, json_digest, tree_of
from truetune.evidence.run_folder import load_record
from truetune.project.do_not_train.entries import read_do_not_train
from truetune.stages.data.check import Judged, NamedFile, judge
from truetune.stages.data.checks.registry import described
from truetune.stages.data.corpus import Fault
from truetune.stages.data.curation.lengths import Fitted, fitted, records_of
from truetune.stages.data.curation.policy import Drop, fate_of
from truetune.stages.data.curation.redaction import redact_record
from truetune.stages.data.reading.readers import Entry, reading
from truetune.stages.data.reading.sidecar import found_beside
from truetune.stages.data.rows.one_pass import IN_PROCESS
from truetune.stages.data.rows.row import row_ids
from truetune.stages.data.training_rows.over_length import Window

RECORD_NAME = "curation.json"
_VERSION = re.compile(r"\d{4,}")
_LINEAGE = pa.schema(
    [("row_id", pa.string()), ("file", pa.string()), ("line", pa.int64()), ("source", pa.string()), ("source_line", pa.int64())]
)
_LINEAGE_BATCH_ROWS = 4096
_DID = {"drop": "left out", "quarantine": "put aside in quarantine.jsonl"}


@dataclass(frozen=True)
class Request:
    """What to curate, against what, by which rules, into which folder of versions.

    Attributes:
        files: the rows.
        against: held-out files that they must not overlap with.
        config: the rules.
        out: the folder of versions.
        model: whose window rows must fit into.
        window: that model's tokenizer and the tokens that a row may have; None where it cannot be had here.
        unmeasured: why it cannot.
    """

    files: Sequence[NamedFile]
    against: Sequence[NamedFile]
    config: DataConfig
    out: Path
    model: str | None = None
    window: Window | None = None
    unmeasured: str = "no project names a model"


@dataclass(frozen=True)
class Curated:
    """The version, whether it was there already, and the rows of which a person reads in what was newly written of it."""

    record: CurationRecord
    is_new: bool
    read: Iterable[Sequence[Message]] = ()


@dataclass(frozen=True)
class _Left:
    """A record that is not in the curated files."""

    file: str
    line: int
    drop: Drop
    text: str


def curate(request: Request, progress: Progress, engine: RowEngine = IN_PROCESS, readers: Readers = NO_READERS) -> Curated:
    """Make the next version, or name the newest one where nothing has changed since.

    Raises:
        DataError: a file cannot be read as data at all, or changed while it was read.
        UsageError: `out` is a file, or another curation is at work in that folder.
        EnvironmentFault: the folder cannot be written.
    """
    if request.out.exists() and not request.out.is_dir():
        raise UsageError(
            "usage.not_a_folder",
            f"{request.out} is a file, and versions are written into a folder",
            fix="name a folder with --out; it is made where there is none",
            where=str(request.out),
        )
    with atomic.writing(request.out):
        request.out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(request.out / ".lock", timeout=0):
            key = _key(request, readers)
            newest = newest_version(request.out)
            known = read_version(newest) if newest else None
            if known is not None and known.key == key:
                return Curated(known, is_new=False)
            return _make(request, key, _next(request.out, newest), progress, engine, readers)
    except Timeout as error:
        raise UsageError(
            "usage.run_in_progress",
            f"another truetune is curating into {request.out}",
            why=f"{request.out / '.lock'} is held by a running process",
            fix="wait for it, or stop it (Ctrl-C there), then run the same command again",
        ) from error


def newest_version(out: Path) -> Path | None:
    """The version with the highest number; None where there is none."""
    found = [p for p in out.iterdir() if _VERSION.fullmatch(p.name) and p.is_dir()] if out.is_dir() else []
    return max(found, key=lambda p: int(p.name), default=None)


def read_version(folder: Path) -> CurationRecord | None:
    """The record of a version, under the name that its folder has now; None where it is not whole, as after a hand that deleted
    something.
    """
    try:
        record = load_record(folder / RECORD_NAME, CurationRecord)
    except (EvidenceError, OSError):
        return None
    is_whole = all((folder / artifact.path).is_file() for artifact in record.files.files)
    return record.model_copy(update={"version": str(folder)}) if is_whole else None


def version_files(record: CurationRecord) -> list[str]:
    """The curated files of a version, without what was left out of it."""
    return [a.path for a in record.files.files if a.path.endswith(".jsonl") and a.path not in _OURS]


def _next(out: Path, newest: Path | None) -> Path:
    return out / f"{int(newest.name) + 1 if newest else 1:04d}"


def _key(request: Request, readers: Readers) -> str:
    """Everything that decides the version: the bytes of all files, the names they go by, the rules, the models, the program."""
    listed, window = read_do_not_train(request.config.do_not_train, Path()), request.window
    return json_digest(
        {
            "truetune": __version__,
            "config": request.config.model_dump(mode="json", exclude={"sources"}),
            "files": [[shown, _digest(path)] for path, shown in request.files],
            "against": [[shown, _digest(path)] for path, shown in request.against],
            "metadata": _metadata_digests(request),
            "do_not_train": listed.digest if listed else None,
            "sentence_model": readers.meanings.name if readers.meanings else None,
            "window": [request.model, window.tokenizer.template_digest, window.max_length] if window else None,
        }
    )


def _metadata_digests(request: Request) -> list[str | None]:
    paths = [path for path, _ in (*request.files, *request.against)]
    named = request.config.metadata
    return [_digest(Path(named))] if named else [_digest(found) for path in paths if (found := found_beside(path))]


def _digest(path: Path) -> str | None:
    """None where it is no file: what is wrong with it is said when it is read."""
    return file_digest(path) if path.is_file() else None


def _make(request: Request, key: str, version: Path, progress: Progress, engine: RowEngine, readers: Readers) -> Curated:
    judged = judge(request.files, request.against, request.config, progress, engine, readers=readers)
    fit = fitted(judged, request.window, request.config, progress) if request.window else Fitted(judged, {})
    judged = fit.judged
    left = _left(judged)
    with atomic.new_folder(version) as folder:
        _write_curated(folder, request.files, fit, {(item.file, item.line): item for item in left})
        _write_lines(folder / "dropped.jsonl", (_told(item) for item in left if item.drop.fate == "drop"))
        (folder / "changes.md").write_text("".join(_changes(fit, left)), encoding="utf-8")
        record = _record(request, judged, key, version, folder)
        (folder / RECORD_NAME).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    shown = sorted(judged.dropped.keys() | judged.redaction.positions | fit.pieces.keys())
    return Curated(record, is_new=True, read=(judged.corpus.rows[position].messages for position in shown))


def _record(request: Request, judged: Judged, key: str, version: Path, folder: Path) -> CurationRecord:
    gate, reason = _gate(request.config, judged)
    return CurationRecord(
        version=str(version),
        key=key,
        gate=gate,
        gate_reason=reason,
        policies={code: judged.rules.of(code).policy for code in described() if code in judged.stats.findings_by_code},
        sources=tuple(judged.sources.sources),
        held_out=tuple(judged.held_out),
        stats=judged.stats,
        files=tree_of(folder),
        over_length=f"{request.config.over_length}: more than {request.window.max_length} tokens of {request.model}"
        if request.window
        else f"not applied: {request.unmeasured}",
    )


def _gate(config: DataConfig, judged: Judged) -> tuple[GateState, str]:
    """What is faulty has been taken out; what can fail is how much that was, and the data tests of the config."""
    stats = judged.stats
    problems = judged.failed_tests()
    if stats.rows and stats.dropped / stats.rows > config.max_dropped_frac:
        problems.append(
            f"{stats.dropped:,} of {plural(stats.rows, 'row')} ({stats.dropped / stats.rows:.0%}) had to be left out; "
            f"max_dropped_frac allows {config.max_dropped_frac:.0%}"
        )
    if problems:
        return "failed", "; ".join(problems)
    return (
        ("passed", f"{stats.kept:,} of {plural(stats.rows, 'row')} kept") if stats.kept else ("not_measured", "no row was kept")
    )


# --- what is left out -----------------------------------------------------------------------------------------------


def _left(judged: Judged) -> list[_Left]:
    """Every record that is left out, once, in the order of the files."""
    found: dict[tuple[str, int], _Left] = {}
    for fault in judged.corpus.faults:
        found.setdefault((fault.file, fault.line), _of_fault(fault, judged))
    for position, drop in judged.dropped.items():
        row = judged.corpus.rows[position]
        text = judged.corpus.shown(f"{row.prompt}\n{row.answer}", position)
        found[row.file, row.line] = _Left(row.file, row.line, drop, text)
    order = {source.path: number for number, source in enumerate(judged.sources.sources)}
    return sorted(found.values(), key=lambda item: (order[item.file], item.line))


def _of_fault(fault: Fault, judged: Judged) -> _Left:
    return _Left(
        fault.file,
        fault.line,
        Drop(fault.code, fault.message, fate_of(judged.rules, fault.code)),
        judged.corpus.shown(fault.text, None),
    )


def _told(item: _Left) -> dict[str, object]:
    """A row that was left out, its text masked: a secret must not travel further than it has."""
    return {
        "file": item.file,
        "line": item.line,
        "code": item.drop.code,
        "reason": item.drop.reason,
        "text": excerpt(item.text),
    }


def _changes(fit: Fitted, left: Sequence[_Left]) -> Iterator[str]:
    """The difference to the user's files, for a person: every record that is not there any more, by reason."""
    judged = fit.judged
    stats = judged.stats
    yield f"# What was changed\n\n{plural(stats.rows, 'row')} came in, {stats.kept:,} are kept, {stats.dropped:,} are not.\n"
    if stats.redacted:
        yield f"\n## Placeholders: {plural(stats.redacted, 'row')} kept with them\n\n"
        yield from _placeholders(judged)
    if fit.pieces:
        yield f"\n## Too long: {plural(len(fit.pieces), 'row')} made to fit\n\n"
        yield from (f"- {p.row.file}:{p.row.line}: {p.change}\n" for position in sorted(fit.pieces) for p in fit.pieces[position])
    groups: defaultdict[tuple[str, str], list[_Left]] = defaultdict(list)
    for item in left:
        groups[item.drop.code, item.drop.fate].append(item)
    for (code, fate), items in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        yield f"\n## {code}: {plural(len(items), 'row')} {_DID[fate]}\n\n"
        check = described().get(code)
        if check is not None:
            yield f"{check.claim}\n\n"
        for item in items:
            yield f"- {item.file}:{item.line}: {item.drop.reason}\n"
            if item.text:
                yield f"  > {excerpt(item.text)}\n"
    taken = {item.drop.code for item in left}
    kept = Counter(f.code for f in judged.findings if f.code not in taken)
    if kept:
        yield "\n## Found and kept\n\n"
        yield from (f"- {code}: {count}\n" for code, count in sorted(kept.items()))


def _placeholders(judged: Judged) -> Iterator[str]:
    """The rows that are kept with something replaced, as they are now: what was replaced must not stand here."""
    for position in sorted(judged.redaction.positions - judged.dropped.keys()):
        redacted = judged.redaction.of(position, judged.corpus.rows[position])
        yield f"- {redacted.row.file}:{redacted.row.line}: {redacted.change}\n"
        prompt, answer = (judged.corpus.shown(text, position) for text in (redacted.row.prompt, redacted.row.answer))
        yield f"  > {excerpt(prompt)} → {excerpt(answer)}\n"


# --- what stays -----------------------------------------------------------------------------------------------------


def _write_curated(folder: Path, files: Sequence[NamedFile], fit: Fitted, left: Mapping[tuple[str, int], _Left]) -> None:
    """Read each file again and write what stays of it, what is put aside, and where each line came from."""
    judged = fit.judged
    names = _names([shown for _, shown in files])
    ids = _kept_ids(judged)
    digests = {source.path: source for source in judged.sources.sources}
    with ExitStack() as stack:
        lineage = stack.enter_context(pq.ParquetWriter(folder / "lineage.parquet", _LINEAGE, compression="zstd"))
        aside = stack.enter_context((folder / "quarantine.jsonl").open("w", encoding="utf-8"))
        for path, shown in files:
            stream = stack.enter_context((folder / names[shown]).open("w", encoding="utf-8"))
            write = _Lineage(lineage, names[shown], shown)
            for entry in _entries_again(path, digests[shown]):
                item = left.get((shown, entry.line))
                if item is None:
                    for row_id, record in _kept(entry, fit, digests[shown], next(ids, "")):
                        _write_line(stream, record)
                        write.row(row_id, entry.line)
                elif item.drop.fate == "quarantine":
                    _write_line(aside, {**_told(item), **_whole(entry)})
            write.flush()


def _kept(entry: Entry, fit: Fitted, source: SourceFile, row_id: str) -> Iterator[tuple[str, object]]:
    """The record as it is curated, with its id: as it was given, with placeholders where the rules ask for them, in pieces where
    it was too long.
    """
    judged = fit.judged
    changed = judged.redaction.positions or fit.pieces
    position = judged.corpus.rows.position(RowRef(file=source.path, line=entry.line)) if changed else None
    value = redact_record(entry.value, judged.redaction.find)[0] if position in judged.redaction.positions else entry.value
    pieces = fit.pieces.get(position, ()) if position is not None else ()
    if pieces and isinstance(value, dict):
        for number, record in enumerate(records_of(value, source.format, pieces), start=1):
            yield f"{row_id}.{number}", record
    else:
        yield row_id, value


class _Lineage:
    """Where the lines of one curated file came from, written some at a time."""

    def __init__(self, writer: pq.ParquetWriter, name: str, source: str) -> None:
        self._writer, self._name, self._source = writer, name, source
        self._rows: list[tuple[str, int, int]] = []
        self._line = 0

    def row(self, row_id: str, source_line: int) -> None:
        """One more line."""
        self._line += 1
        self._rows.append((row_id, self._line, source_line))
        if len(self._rows) >= _LINEAGE_BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what has come together."""
        ids, lines, source_lines = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        columns = [ids, [self._name] * len(ids), lines, [self._source] * len(ids), source_lines]
        self._writer.write_table(pa.table([pa.array(c, t.type) for c, t in zip(columns, _LINEAGE, strict=True)], schema=_LINEAGE))
        self._rows = []


def _kept_ids(judged: Judged) -> Iterator[str]:
    """The ids of the kept rows, in the order of the files; a file that has grown since has more rows, and is refused."""
    return iter(row_ids(row for position, row in enumerate(judged.corpus.rows) if position not in judged.dropped))


def _names(sources: Sequence[str]) -> dict[str, str]:
    """A file name for each source; of two with one name the second gets a number."""
    names: dict[str, str] = {}
    for shown in sources:
        stem, number = Path(shown).name.removesuffix(Path(shown).suffix) or "rows", 1
        while (name := f"{stem}.jsonl" if number == 1 else f"{stem}-{number}.jsonl") in {*names.values(), *_OURS}:
            number += 1
        names[shown] = name
    return names


_OURS = ("dropped.jsonl", "quarantine.jsonl")


def _entries_again(path: Path, source: SourceFile) -> Iterator[Entry]:
    """The records of a file, and at their end the assurance that they are those that were checked."""
    read = reading(path, source.path)
    yield from read
    if read.result().digest != source.digest:
        raise DataError(
            "data.file.changed",
            f"{source.path} changed while it was read",
            why="what was checked is not what lies there now",
            fix="run the same command again when nothing writes the file any more",
            where=source.path,
        )


def _whole(entry: Entry) -> dict[str, object]:
    """The record as it was given, so that it can be put back once a person has decided."""
    return {"record": entry.value} if entry.fault is None else {"text": entry.fault.text}


def _write_lines(path: Path, values: Iterable[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for value in values:
            _write_line(stream, value)


def _write_line(stream: TextIO, value: object) -> None:
    stream.write(_line(value) + "\n")


def _line(value: object) -> str:
    """JSON as people write it; half characters, which UTF-8 cannot hold, stay escaped."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, default=str)
    return text
