"""What the report is made of: a run's records, and the few things behind them that a person wants to see."""

from __future__ import annotations

from dataclasses import dataclass, field

from truetune.core.config import Config
from truetune.core.contract import Contract
from truetune.core.records import (
    BaseRecord,
    DataRecord,
    DiagnosisRecord,
    DoctorRecord,
    EvaluationRecord,
    FrozenTestInfo,
    PlanRecord,
    SpotCheckRecord,
    StepMetrics,
    TrainRecord,
    VerdictRecord,
)

Place = tuple[str, int]
"""A row of the user's: its file and its line."""


@dataclass(frozen=True)
class Output:
    """What one candidate answered to one item; `score` and `valid` are None where they do not apply."""

    candidate: str
    suite: str
    item_id: str
    prompt: str
    output: str
    finished: bool
    expected: str | None
    score: float | None
    valid: bool | None


@dataclass(frozen=True)
class RowText:
    """A row that is shown: where it stands, what became of it, and its words.

    `fate` is the split it lies in, or the code of the check that dropped it. A dropped row has only `raw`: what the data
    gate kept of it, shortened; `prompt` and `answer` are then empty.
    """

    file: str
    line: int
    fate: str
    row_id: str = ""
    prompt: str = ""
    answer: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Flow:
    """So many rows of one file went to one place: a split's name, or `dropped:` and the code of the reason."""

    source: str
    target: str
    rows: int


@dataclass(frozen=True)
class StageTime:
    """How long a stage took, or the run that its record was taken from when nothing it depends on had changed."""

    stage: str
    seconds: float | None
    reused_from: str | None = None


@dataclass(frozen=True)
class ReportBundle:
    """All that `render` needs; a stage that has not run is None, and the report then says so.

    Attributes:
        looked: the frozen test as it has been looked at until the report is made; the evaluation knows only what was before it.
        rows: the words of every row that a finding or the list of hardest rows points at.
        row_ids: the place of each of those rows that has an id.
        lengths_chars: length in characters of every kept conversation.
        notices: what the records name and the run's folder no longer holds, in words for the reader.
    """

    run_id: str
    finished_at: str = ""
    config: Config | None = None
    contract: Contract | None = None
    doctor: DoctorRecord | None = None
    base: BaseRecord | None = None
    data: DataRecord | None = None
    plan: PlanRecord | None = None
    train: TrainRecord | None = None
    diagnosis: DiagnosisRecord | None = None
    evaluation: EvaluationRecord | None = None
    verdict: VerdictRecord | None = None
    looked: FrozenTestInfo | None = None
    spotcheck: SpotCheckRecord | None = None
    metrics: tuple[StepMetrics, ...] = ()
    outputs: tuple[Output, ...] = ()
    rows: dict[Place, RowText] = field(default_factory=dict)
    row_ids: dict[str, Place] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    lengths_chars: tuple[int, ...] = ()
    times: tuple[StageTime, ...] = ()
    ledger_head: str | None = None
    ledger_entries: int = 0
    notices: tuple[str, ...] = ()
