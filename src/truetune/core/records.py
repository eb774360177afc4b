"""Records: what stages hand to each other, and what `verify` re-derives.

Every record is frozen, versioned and readable by people. A record never holds a number that was not measured:
where something could not be told, the field is `None` or the state is `not_measured`, with the reason beside it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

SCHEMA_VERSION = 1

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Severity = Literal["block", "warn", "note"]
GateState = Literal["passed", "failed", "not_measured"]
TaskShape = Literal["labels", "json", "exact", "text"]
DataFormat = Literal["messages", "sharegpt", "alpaca", "prompt_completion", "preference", "unpaired_preference", "triplet"]
SplitName = Literal["train", "validation", "test"]
MetaField = Literal["id", "source", "group", "conversation", "time", "licence", "reviewed_by", "contains_pii", "split", "task"]
Verdict = Literal["release", "hold", "do not fine-tune"]
CriterionState = Literal["met", "broken", "not_measured"]
Tier = Literal["critical", "supporting", "advisory"]


class Frozen(BaseModel):
    """A value that never changes after it was made; unknown fields are an error, not a shrug."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Artifact(Frozen):
    """One stored file: its name inside its tree, its digest, its size."""

    path: str
    digest: Digest
    size_bytes: int


class Tree(Frozen):
    """A folder as its files' digests; `digest` is over the sorted list of (path, digest)."""

    digest: Digest
    files: tuple[Artifact, ...]


class RowRef(Frozen):
    """A place in the user's file. `line` counts from 1; in a Parquet or JSON array it is the row number."""

    file: str
    line: int


class Finding(Frozen):
    """What a check found.

    `rows` are all the rows concerned; `groups` says which of them belong together (a duplicate cluster, the two
    sides of a contradiction). `evidence` is what convinced the check; `fix` is what the user can do.
    """

    code: str
    severity: Severity
    message: str
    rows: tuple[RowRef, ...] = ()
    groups: tuple[tuple[RowRef, ...], ...] = ()
    column: int | None = None
    evidence: dict[str, JsonValue] = Field(default_factory=dict)
    fix: str = ""


class Interval(Frozen):
    """A confidence interval and the method that made it."""

    low: float
    high: float
    level: float
    method: str


class Record(Frozen):
    """What a stage leaves behind."""

    schema_version: int = SCHEMA_VERSION


# --- doctor ---------------------------------------------------------------------------------------------------------


class Gpu(Frozen):
    """One accelerator as its driver reports it."""

    name: str
    memory_bytes: int
    driver: str
    compute_capability: str | None = None


class UnmetRequirement(Frozen):
    """An installed package asks for another one, and what is installed does not do; `found` is None where nothing is."""

    package: str
    requires: str
    found: str | None


class Environment(Frozen):
    """The machine and the packages that a result depends on; compared by `reproduce` and shown in the report.

    Memory and cores are what this process may use: a container's limits count. `packages` maps each package that was
    looked for to its version, or None. `torch_build` is `cpu`, or the CUDA version torch was built for. `compiled_part` says
    whether truetune's compiled part runs, or NumPy in its place (the same results, later).
    """

    python: str
    platform: str
    cpu: str
    cores: int
    memory_bytes: int
    memory_available_bytes: int
    disk_free_bytes: int
    gpus: tuple[Gpu, ...] = ()
    packages: dict[str, str | None] = Field(default_factory=dict)
    hub_offline: bool = False
    temp_free_bytes: int | None = None
    torch_build: str | None = None
    unmet_requirements: tuple[UnmetRequirement, ...] = ()
    compiled_part: bool | None = None

    @property
    def training_gpu(self) -> Gpu | None:
        """The GPU that training will use; None where there is none, or torch is built without."""
        return self.gpus[0] if self.gpus and self.torch_build != "cpu" else None

    @property
    def training_memory_bytes(self) -> int:
        """Memory that training may use: the GPU's where one is used, else what is available in the machine now."""
        return self.training_gpu.memory_bytes if self.training_gpu else self.memory_available_bytes


class DoctorRecord(Record):
    """Can this machine do the run?"""

    stage: Literal["doctor"] = "doctor"
    gate: GateState
    findings: tuple[Finding, ...]
    environment: Environment
    precision: str
    precision_reason: str


# --- base -----------------------------------------------------------------------------------------------------------


class Licence(Frozen):
    """A licence as an SPDX expression, or `None` with what was found instead. `source` says where it was read."""

    spdx: str | None
    raw: str | None
    source: str
    commercial_use: bool | None
    redistribution: bool | None


class ModelShape(Frozen):
    """What memory and time depend on. `linear_in_plus_out` sums (inputs + outputs) of the linear layers by name, over all
    blocks: a LoRA of rank r on `q_proj` has r × that many parameters.
    """

    layers: int
    hidden_size: int
    intermediate_size: int
    key_value_frac: float
    linear_in_plus_out: dict[str, int]


class BaseRecord(Record):
    """The base-model decision record: what it is, whether it may be used, what is known to go wrong."""

    stage: Literal["base"] = "base"
    gate: GateState
    findings: tuple[Finding, ...]
    model: str
    revision: str
    weights: Tree
    parameters: int
    vocabulary_size: int
    context_length_tokens: int
    architecture: str
    template_digest: Digest | None
    tokenizer_digest: Digest
    licence: Licence
    intended_use: str
    known_risks: tuple[str, ...]
    shape: ModelShape | None = None


# --- data -----------------------------------------------------------------------------------------------------------


class SourceFile(Frozen):
    """A file of the user's, as it was read. `path` is relative to the project where it lies inside it."""

    path: str
    digest: Digest
    size_bytes: int
    format: DataFormat
    rows: int
    encoding: str = "utf-8"


class TaskProfile(Frozen):
    """What kind of answer the data asks for, found from the answers themselves; `answer_schema` is the user's, as JSON."""

    shape: TaskShape
    labels: tuple[str, ...] = ()
    json_fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reason: str = ""
    answer_schema: str = ""


class SplitInfo(Frozen):
    """One side of the split: its rows (by id), and the digest that freezes it."""

    rows: int
    digest: Digest


class SealedRow(Frozen):
    """A row of the frozen test: its id, the user's own name for it where there is one, and where it stood when it was sealed."""

    row_id: str
    id: str | None = None
    file: str
    line: int


class SealRecord(Record):
    """`test.seal.json` beside the contract: what freezes the test split of a project.

    `digest` is over the rows' ids and words. `inputs` is the key of the data stage that cut it: the same inputs cut the same.
    `chosen_by` says how the rows were chosen: cut by truetune, the user's `split` column, or the user's own file.
    """

    stage: Literal["seal"] = "seal"
    sealed_at: str
    digest: Digest
    inputs: Digest
    chosen_by: Literal["cut", "column", "file"]
    rows: tuple[SealedRow, ...]


class FrozenTestInfo(Frozen):
    """The frozen test as a run met it: since when it is sealed, how often it had been looked at, this look included, by which
    commands, and how many times this project has sealed a test.
    """

    digest: Digest
    sealed_at: str
    looks: int
    seals: int
    by_command: dict[str, int] = Field(default_factory=dict)


class GoldDistance(Frozen):
    """How far the gold set is from the training rows: of its items, how many have a training prompt with at least so many words
    in common (`at_least`: share of the words of both → items), how many ask nearly the same (`close`), and what follows.
    """

    items: int
    close: int
    at_least: dict[str, int]
    verdict: Literal["real distance", "too close", "not measured"]
    reason: str


class TokenStats(Frozen):
    """Lengths under the real template, in tokens; `None` fields were not measured (no tokenizer)."""

    total_tokens: int
    trained_tokens: int
    median_tokens: int
    p95_tokens: int
    max_tokens: int
    max_length_tokens: int
    rows_over_length: int


class TokenView(Frozen):
    """One example as it is trained: each token's text, and whether its loss counts."""

    row: RowRef
    tokens: tuple[str, ...]
    trained: tuple[bool, ...]


class ShownRow(Record):
    """What `truetune data show` prints: one row as it would be trained on under a model's own template.

    `row_id` and `split` are those of the run that the row was taken from, None where it was read from a file. `tokens` put
    together are the row as the template writes it; a token that is the rest of a character is empty.
    """

    row: RowRef
    row_id: str | None
    split: str | None
    model: str
    template_digest: Digest | None
    token_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    trained: tuple[bool, ...]
    max_length_tokens: int | None


class DataStats(Frozen):
    """How many rows came in, where each went, and how many there really are.

    `quarantined` are among the dropped, `redacted` among the kept.
    `effective_unique` counts copies once. `effective_unique_range` is that number as a range: rows that ask the same in other
    words counted once too, and copies alone; None where only copies were looked for.
    """

    rows: int
    kept: int
    dropped: int
    effective_unique: int
    effective_unique_range: tuple[int, int] | None = None
    quarantined: int = 0
    redacted: int = 0
    dropped_by_code: dict[str, int] = Field(default_factory=dict)
    findings_by_code: dict[str, int] = Field(default_factory=dict)
    tokens: TokenStats | None = None


class Quantiles(Frozen):
    """How a number is spread over the rows."""

    p05: float
    median: float
    p95: float
    max: float


class Share(Frozen):
    """So many rows have this in common, and which share of those that were looked at they are."""

    name: str
    rows: int
    frac: float


class LabelBalance(Frozen):
    """How often each value of a closed answer is given; `field` is empty where the whole answer is the label.

    `values` are the commonest ones. `entropy_bits` is that of all values, `effective_classes` is two to that power: as many
    equally common values would be as hard to guess.
    """

    field: str
    classes: int
    values: tuple[Share, ...]
    rarest: Share
    entropy_bits: float
    effective_classes: float


class Topic(Frozen):
    """Prompts that share their words: the words that tell them from the others, and their share of the sampled rows."""

    words: tuple[str, ...]
    rows: int
    frac: float
    difficulty: float
    example: RowRef


class DataBalance(Frozen):
    """What the rows teach as a whole. A field that was not measured is None or empty, and `not_measured` says why.

    `sampled_rows` were drawn by `seed` for topics, difficulty and languages; everything else counts all `rows`. Difficulty
    is how unlike its most similar other prompt a prompt is, from 0 (a copy) to 1. Source: measured: docs/log.md, "difficulty".
    """

    rows: int
    sampled_rows: int
    seed: int
    prompt_chars: Quantiles
    answer_chars: Quantiles
    commonest_answer_frac: float
    labels: tuple[LabelBalance, ...] = ()
    openings: tuple[Share, ...] = ()
    distinct_openings: int | None = None
    languages: tuple[Share, ...] = ()
    topics: tuple[Topic, ...] = ()
    difficulty: Quantiles | None = None
    off_task_rows: int | None = None
    not_measured: dict[str, str] = Field(default_factory=dict)


class DataSizing(Frozen):
    """Is this as much as the job needs, counted in really different examples?

    `have_low` and `have_high` bound how many there are, of the unit named: below `floor` there are too few, from `enough` on
    the job can be learned, beyond `plenty` more of the same is not worth its price. `reasons` say where these numbers are from;
    `learning_curve` names the training sizes that would show what the last doubling brought.
    """

    job: Literal["classification", "extraction", "short answers", "free text", "preference"]
    unit: str
    have_low: int
    have_high: int
    floor: int
    enough: int
    plenty: int
    verdict: Literal["too little", "a start", "enough", "more than needed"]
    reasons: tuple[str, ...]
    learning_curve: tuple[int, ...]


class ReplayInfo(Frozen):
    """General rows mixed into training, by share of tokens under the real template.

    `share_tokens` is the replay rows' part of all tokens of the training rows, and `share_trained` their part of the tokens
    whose loss counts. `offered` rows stood in the source; `dropped_by_code` says why some could not be used; the others were
    not needed.
    """

    source: SourceFile
    licence: str | None
    seed: int
    share_asked: float
    share_tokens: float
    share_trained: float
    rows: int
    tokens: int
    task_tokens: int
    offered: int
    dropped_by_code: dict[str, int] = Field(default_factory=dict)


class CheckReport(Record):
    """What `truetune check` prints: the gate alone, on any file."""

    gate: GateState
    gate_reason: str = ""
    findings: tuple[Finding, ...]
    stats: DataStats
    sources: tuple[SourceFile, ...]
    task: TaskProfile
    balance: DataBalance | None = None
    sizing: DataSizing | None = None


class CurationRecord(Record):
    """What `truetune data curate` made of the user's files: one version, never changed after it was made.

    `files` holds a `.jsonl` for each source, `lineage.parquet`, `dropped.jsonl`, `quarantine.jsonl` and `changes.md`, below
    the folder `version`. `key` is the digest of everything that decided them: the same key is the same version. `over_length`
    says which policy was applied to rows that are too long, under which model, or why none was.
    """

    version: str
    key: Digest
    gate: GateState
    gate_reason: str
    policies: dict[str, str]
    sources: tuple[SourceFile, ...]
    held_out: tuple[SourceFile, ...]
    stats: DataStats
    files: Tree
    over_length: str = ""


SpotVerdictName = Literal["good", "bad", "unsure"]


class SpotVerdict(Frozen):
    """What a person said of a row."""

    row_id: str
    row: RowRef
    verdict: SpotVerdictName
    note: str = ""


class SpotCheckRecord(Record):
    """What came of a spot check. `error_rate` is over the rows called good or bad, None where there is none."""

    source: str
    rows: int
    sample: int
    seed: int
    good: int
    bad: int
    unsure: int
    error_rate: float | None
    interval: Interval | None
    verdicts: tuple[SpotVerdict, ...]


class RowChange(Frozen):
    """A row that is not the same on both sides of a comparison; texts are masked and shortened. `id` is the user's own."""

    kind: Literal["added", "removed", "changed"]
    id: str | None
    a: RowRef | None
    b: RowRef | None
    before: str
    after: str


class DataDiff(Record):
    """What `truetune data diff` found between two states of the data; `findings` are counts by code, where they differ."""

    a: str
    b: str
    unchanged: int
    changes: tuple[RowChange, ...]
    findings: dict[str, tuple[int, int]]
    stats_a: DataStats
    stats_b: DataStats


DOUBTING_CODES = ("data.label.noise", "data.contradiction")
"""Findings that doubt a row's answer: what is hard to learn is held against them."""


class DataRecord(Record):
    """Curated, split and frozen data with a reason for every row that is not in it.

    `do_not_train` is the digest of the list that was enforced, None where there was none.
    `curated` holds `train.parquet`, `validation.parquet`, `test.parquet` (columns `row_id, messages, prompt, answer`),
    `lineage.parquet` (row_id → file, line, split, cluster, change, id, source, licence, origin) and `dropped.parquet` (file,
    line, code, reason, text, fate). `metadata` are the sidecars that were joined to the rows by id. `test_chosen_by`: the test
    was cut by truetune, or is the user's own, by a column `split` or as a file.
    """

    stage: Literal["data"] = "data"
    gate: GateState
    gate_reason: str
    findings: tuple[Finding, ...]
    sources: tuple[SourceFile, ...]
    held_out: tuple[SourceFile, ...]
    metadata: tuple[Artifact, ...] = ()
    stats: DataStats
    task: TaskProfile
    curated: Tree
    splits: dict[SplitName, SplitInfo]
    test_chosen_by: Literal["cut", "column", "file"] = "cut"
    gold: GoldDistance | None = None
    do_not_train: Digest | None = None
    template_digest: Digest | None
    token_views: tuple[TokenView, ...] = ()
    balance: DataBalance | None = None
    sizing: DataSizing | None = None
    replay: ReplayInfo | None = None

    def doubts(self) -> dict[RowRef, Finding]:
        """The rows whose answer is doubted, each with the first finding that names it; what warns comes before what is listed."""
        found: dict[RowRef, Finding] = {}
        for finding in sorted((f for f in self.findings if f.code in DOUBTING_CODES), key=lambda f: f.severity == "note"):
            for place in finding.rows:
                found.setdefault(place, finding)
        return found


# --- plan -----------------------------------------------------------------------------------------------------------


class PlanRecord(Record):
    """Memory, time and money before the run, each with how it was derived."""

    stage: Literal["plan"] = "plan"
    gate: GateState
    findings: tuple[Finding, ...]
    method: str
    method_reasons: tuple[str, ...]
    steps: int
    tokens: int
    flops: float
    achieved_flops_per_s: float
    achieved_source: str
    train_s: float
    memory_bytes: int
    memory_parts_bytes: dict[str, int]
    disk_bytes: int
    cost_usd: float | None
    cost_source: str


# --- train ----------------------------------------------------------------------------------------------------------


class StepMetrics(Frozen):
    """One line of metrics.jsonl."""

    kind: Literal["train", "validation"]
    step: int
    epoch: float
    loss: float
    learning_rate: float | None = None
    grad_norm: float | None = None
    tokens: int = 0
    elapsed_s: float = 0.0
    memory_bytes: int | None = None
    trained_tokens: int | None = None


class HardRow(Frozen):
    """A training row and its mean loss per trained token after training, in nats."""

    row_id: str
    loss: float


class TrainRecord(Record):
    """An adapter, and how it came to be."""

    stage: Literal["train"] = "train"
    trainer: str
    versions: dict[str, str]
    hyperparameters: dict[str, JsonValue]
    adapter: Tree
    metrics: Artifact
    examples: int
    steps: int
    epochs: float
    tokens_seen: int
    trained_tokens: int
    tokens_per_s: float
    wall_s: float
    peak_memory_bytes: int
    resumed_from_step: int | None
    data_order_digest: Digest
    seed: int
    do_not_train: Digest | None = None
    hardest: tuple[HardRow, ...] = ()


class DiagnosisRecord(Record):
    """What the curves say: the cause, the evidence and the next thing to try."""

    stage: Literal["diagnose"] = "diagnose"
    gate: GateState
    findings: tuple[Finding, ...]
    summary: str


# --- evaluate -------------------------------------------------------------------------------------------------------


class Score(Frozen):
    """One metric of one candidate on one suite. `value` is `None` where it was not measured; `reason` says why."""

    candidate: str
    suite: str
    metric: str
    value: float | None
    n: int
    interval: Interval | None = None
    reason: str = ""


class Comparison(Frozen):
    """A paired difference `candidate - reference` on the same items: is it real?"""

    candidate: str
    reference: str
    suite: str
    metric: str
    n: int
    difference: float
    interval: Interval
    p_value: float
    test: str
    better: int
    worse: int


class CriterionResult(Frozen):
    """A line of the contract, decided. The interval is on `value`; `bound` is what the contract asks.

    `would_settle` says what would change the state, where that is known: items, or the tolerance that these items certify.
    """

    name: str
    tier: Tier
    state: CriterionState
    candidate: str
    suite: str
    value: float | None
    bound: float | None
    direction: Literal["at_least", "at_most"]
    interval: Interval | None
    n: int
    decided_by: str
    reason: str
    would_settle: str = ""


class DriftResult(Frozen):
    """Two candidates fed the same token ids: how far apart are they? KL in nats per token."""

    candidate: str
    reference: str
    prompts: int
    tokens: int
    max_abs_logit: float
    mean_kl_nats: float
    top1_agreement: float
    greedy_flips: int | None
    within_tolerance: bool | None
    note: str


class DiversityResult(Frozen):
    """How varied a candidate's off-task outputs are; computed on outputs cut to equal length."""

    candidate: str
    outputs: int
    compression_ratio: float
    distinct_2: float
    self_repetition_4: float
    commonest_opening_frac: float
    duplicate_outputs: int
    never_ended: int


class SuiteInfo(Frozen):
    """The items a candidate is evaluated on; `items` is the stored file of them."""

    name: str
    n: int
    items: Artifact


class CandidateInfo(Frozen):
    """What is evaluated, and the digests that identify it."""

    name: str
    kind: Literal["base_model", "few_shot_base", "tuned_adapter", "merged_model"]
    digest: Digest
    few_shot_rows: tuple[str, ...] = ()
    seconds: float = 0.0


class EvaluationRecord(Record):
    """Every candidate on every suite: scores, paired differences, criteria, and where each output is kept.

    `generations` is a JSON-lines file, one output a line: `{"candidate", "suite", "item_id", "cluster", "prompt",
    "prompt_ids_digest", "output", "finished", "new_tokens", "expected", "score", "valid"}`. `prompt` is what the user asked (the
    whole prompt is named by `prompt_ids_digest`); on off-task prompts `expected` is the rule as JSON or empty, `score` is null
    where nothing could be told, and `valid` means that the output has the task's form, which there is confusion.
    `choices` holds the multiple-choice answers: `{"candidate", "suite", "item_id", "question", "options", "log_likelihoods",
    "answer", "chosen", "score"}`.
    """

    stage: Literal["evaluate"] = "evaluate"
    gate: GateState
    task: TaskProfile
    decoding: dict[str, JsonValue]
    suites: tuple[SuiteInfo, ...]
    candidates: tuple[CandidateInfo, ...]
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    criteria: tuple[CriterionResult, ...]
    drift: tuple[DriftResult, ...]
    diversity: tuple[DiversityResult, ...]
    generations: Artifact
    choices: Artifact | None
    findings: tuple[Finding, ...]
    seed: int
    frozen_test: FrozenTestInfo | None = None


# --- verdict --------------------------------------------------------------------------------------------------------


class VerdictRecord(Record):
    """The decision, in plain words, with what would change it."""

    stage: Literal["verdict"] = "verdict"
    verdict: Verdict
    headline: str
    reasons: tuple[str, ...]
    would_change: tuple[str, ...]
    gates: dict[str, GateState]
    exit_code: int
    numbers: dict[str, float | None]


# --- verify ---------------------------------------------------------------------------------------------------------


class Verification(Frozen):
    """One thing that was derived again: does it still give what the record says?"""

    name: str
    state: GateState
    detail: str = ""


class VerifyRecord(Record):
    """Every link of a run's chain, in order; `first_mismatch` names where it breaks first."""

    stage: Literal["verify"] = "verify"
    gate: GateState
    run_id: str
    checks: tuple[Verification, ...]
    first_mismatch: str | None


# --- init -----------------------------------------------------------------------------------------------------------


class InitRecord(Record):
    """What `truetune init` found out and wrote; `written` is relative to the project."""

    stage: Literal["init"] = "init"
    project: str
    written: tuple[str, ...]
    format: DataFormat
    rows: int
    task: TaskProfile


# --- compare --------------------------------------------------------------------------------------------------------


class ConfigChange(Frozen):
    """A setting that differs; `key` is dotted (`config.train.learning_rate`), None where a run does not have it."""

    key: str
    a: JsonValue
    b: JsonValue


class RunDifference(Frozen):
    """The tuned candidates of two runs on the items that both have: run b minus run a."""

    comparison: Comparison
    a: float
    b: float
    real: Literal["yes", "no", "cannot tell"]
    reason: str


class TimeDifference(Frozen):
    """How long the same work took, in seconds; None where a run did not do it."""

    what: str
    a_s: float | None
    b_s: float | None


class RunComparison(Record):
    """What changed between two runs, what moved, and is it real? `only_a` and `only_b` count test items of one run alone."""

    stage: Literal["compare"] = "compare"
    run_a: str
    run_b: str
    config_changes: tuple[ConfigChange, ...]
    base_same: bool | None
    data_same: bool | None
    splits_same: dict[SplitName, bool]
    adapter_same: bool | None
    differences: tuple[RunDifference, ...]
    only_a: int
    only_b: int
    times: tuple[TimeDifference, ...]
    verdict_a: Verdict | None
    verdict_b: Verdict | None
    summary: str
