"""From a run's folder to what the report shows; a run that stopped anywhere has a report of what there is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import pyarrow.parquet as pq
from pydantic import JsonValue, ValidationError

from truetune.core.config import Config
from truetune.core.contract import Contract
from truetune.core.errors import EvidenceError
from truetune.core.records import (
    Artifact,
    BaseRecord,
    DataRecord,
    DiagnosisRecord,
    DoctorRecord,
    EvaluationRecord,
    FrozenTestInfo,
    PlanRecord,
    RowRef,
    SplitName,
    SpotCheckRecord,
    StepMetrics,
    TrainRecord,
    VerdictRecord,
)
from truetune.evidence.curated import CuratedRow, read_split
from truetune.evidence.ledger import Entry
from truetune.evidence.run_folder import RunFolder
from truetune.report.bundle import Flow, Output, Place, ReportBundle, RowText, StageTime

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass
class _Behind:
    """What lies behind the data record, gathered while reading it."""

    rows: dict[Place, RowText] = field(default_factory=dict)
    row_ids: dict[str, Place] = field(default_factory=dict)
    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    lengths_chars: list[int] = field(default_factory=list)


def load_bundle(run: RunFolder, looked: FrozenTestInfo | None = None) -> ReportBundle:
    """All that the report of this run shows; `looked` is the frozen test as it has been looked at until now.

    What a record names and the store no longer holds is left out and said in `notices`: a report is for reading, and
    `verify` is for finding out what happened to it.

    Raises:
        EvidenceError: a record is not what truetune wrote.
    """
    notices: list[str] = []
    data = run.read_record("data", DataRecord)
    train = run.read_record("train", TrainRecord)
    evaluation = run.read_record("evaluate", EvaluationRecord)
    config, contract = _config(run, notices)
    behind = _behind_data(run, data, train, notices)
    entries = _ledger(run, notices)
    return ReportBundle(
        run_id=run.run_id,
        finished_at=entries[-1].time if entries else "",
        config=config,
        contract=contract,
        doctor=run.read_record("doctor", DoctorRecord),
        base=run.read_record("base", BaseRecord),
        data=data,
        plan=run.read_record("plan", PlanRecord),
        train=train,
        diagnosis=run.read_record("diagnose", DiagnosisRecord),
        evaluation=evaluation,
        verdict=run.read_record("verdict", VerdictRecord),
        looked=looked,
        spotcheck=run.read_record("spotcheck", SpotCheckRecord),
        metrics=_metrics(run, train, notices),
        outputs=_outputs(run, evaluation, notices),
        rows=behind.rows,
        row_ids=behind.row_ids,
        flows=tuple(Flow(s, t, n) for (s, t), n in behind.flows.items()),
        lengths_chars=tuple(behind.lengths_chars),
        times=_times(entries),
        ledger_head=entries[-1].hash if entries else None,
        ledger_entries=len(entries),
        notices=tuple(notices),
    )


def _config(run: RunFolder, notices: list[str]) -> tuple[Config | None, Contract | None]:
    path = run.path / "config.json"
    if not path.exists():
        return None, None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return Config.model_validate(value["config"]), Contract.model_validate(value["contract"])
    except (ValueError, KeyError, TypeError, ValidationError):
        notices.append("config.json is not what truetune wrote; the task and the contract are left out.")
        return None, None


def _ledger(run: RunFolder, notices: list[str]) -> list[Entry]:
    try:
        return run.ledger.read()
    except EvidenceError as error:
        notices.append(f"{error.what}: {error.why}. Times and the ledger's head are left out.")
        return []


def _times(entries: Iterable[Entry]) -> tuple[StageTime, ...]:
    newest: dict[str, StageTime] = {}
    for entry in entries:
        stage, seconds, origin = (entry.data.get(key) for key in ("stage", "seconds", "reused_from"))
        if entry.event == "stage.done" and isinstance(stage, str):
            taken = origin if isinstance(origin, str) else None
            newest[stage] = StageTime(stage, float(seconds) if isinstance(seconds, int | float) else None, taken)
    return tuple(newest.values())


# --- artifacts ------------------------------------------------------------------------------------------------------


def _bytes(run: RunFolder, artifact: Artifact, what: str, notices: list[str]) -> bytes:
    try:
        return run.store.get_bytes(artifact.digest)
    except EvidenceError:
        notices.append(f"The {what} ({artifact.path}, {artifact.digest}) are not in the store any more.")
        return b""


def _json_lines(content: bytes) -> list[dict[str, JsonValue]]:
    lines = content.decode("utf-8", "surrogatepass").split("\n")
    return [json.loads(line) for line in lines if line.strip()]


def _metrics(run: RunFolder, train: TrainRecord | None, notices: list[str]) -> tuple[StepMetrics, ...]:
    if train is None:
        path = run.path / "metrics.jsonl"
        content = path.read_bytes() if path.exists() else b""
        content = content[: content.rfind(b"\n") + 1]
    else:
        content = _bytes(run, train.metrics, "training metrics", notices)
    try:
        return tuple(StepMetrics.model_validate(line) for line in _json_lines(content))
    except (ValueError, ValidationError):
        notices.append("The training metrics are not what truetune wrote; the curves are left out.")
        return ()


def _outputs(run: RunFolder, evaluation: EvaluationRecord | None, notices: list[str]) -> tuple[Output, ...]:
    if evaluation is None:
        return ()
    content = _bytes(run, evaluation.generations, "outputs of the candidates", notices)
    try:
        return tuple(_output(line) for line in _json_lines(content))
    except (ValueError, KeyError):
        notices.append("The file of the candidates' outputs is not what truetune wrote; they are left out.")
        return ()


def _output(line: dict[str, JsonValue]) -> Output:
    score, valid, expected = line.get("score"), line.get("valid"), line.get("expected")
    return Output(
        candidate=str(line["candidate"]),
        suite=str(line["suite"]),
        item_id=str(line["item_id"]),
        prompt=_words(line.get("prompt")),
        output=_words(line["output"]),
        finished=bool(line.get("finished", True)),
        expected=None if expected is None else _words(expected),
        score=float(score) if isinstance(score, int | float) else None,
        valid=valid if isinstance(valid, bool) else None,
    )


def _words(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


# --- the rows behind the data record --------------------------------------------------------------------------------


def _behind_data(run: RunFolder, data: DataRecord | None, train: TrainRecord | None, notices: list[str]) -> _Behind:
    behind = _Behind()
    if data is None:
        return behind
    wanted = _named_places(data)
    hardest = {row.row_id for row in train.hardest} if train else set()
    try:
        for split in _SPLITS:
            if split in data.splits:
                _take_split(behind, split, read_split(run.store, data.curated, split), wanted, hardest)
        _take_dropped(behind, run, data, wanted)
    except (EvidenceError, KeyError, OSError, ValueError):
        notices.append("The curated rows are not in the store as the data record names them; their words are left out.")
    return behind


def _named_places(data: DataRecord) -> set[Place]:
    refs: list[RowRef] = [view.row for view in data.token_views]
    for finding in data.findings:
        refs += [*finding.rows, *(row for group in finding.groups for row in group)]
    return {(ref.file, ref.line) for ref in refs}


def _take_split(behind: _Behind, split: SplitName, rows: Sequence[CuratedRow], wanted: set[Place], hardest: set[str]) -> None:
    for row in rows:
        place = (row.file, row.line)
        behind.flows[row.file, split] += 1
        behind.lengths_chars.append(sum(len(message["content"]) for message in row.messages))
        if place in wanted or row.row_id in hardest:
            behind.rows[place] = RowText(row.file, row.line, split, row.row_id, row.prompt, row.answer)
            behind.row_ids[row.row_id] = place


def _take_dropped(behind: _Behind, run: RunFolder, data: DataRecord, wanted: set[Place]) -> None:
    artifact = next((f for f in data.curated.files if f.path == "dropped.parquet"), None)
    if artifact is None:
        return
    seen: set[Place] = set()
    for row in pq.read_table(BytesIO(run.store.get_bytes(artifact.digest))).to_pylist():
        place = (str(row["file"]), int(row["line"]))
        if place in seen:
            continue
        seen.add(place)
        behind.flows[place[0], f"dropped:{row['code']}"] += 1
        if place in wanted and place not in behind.rows:
            behind.rows[place] = RowText(*place, fate=str(row["code"]), raw=str(row["text"] or ""))
