"""Is an output right, and does it have the task's form? One rule a task shape."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from json import JSONDecodeError
from types import MappingProxyType
from typing import Literal, cast

from pydantic import JsonValue

from truetune.core.records import TaskProfile

# Writing systems without spaces count by character, everything else by word.
_UNSPACED = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


class NotJson(Enum):
    """The text is no JSON; `None` would be a value."""

    NOT_JSON = "not JSON"


NOT_JSON = NotJson.NOT_JSON
Parsed = JsonValue | Literal[NotJson.NOT_JSON]

_EDGE_PUNCTUATION = " \t\r\n.!?,;:…。！？"


@dataclass(frozen=True)
class Judgement:
    """What one output is worth.

    Attributes:
        success: 1 or 0; for free text the token-F1.
        valid: does it have the task's form? A right answer always has: the profile may not know a rare field or label.
        recoverable: is the right answer in it, once fences or chatter around it are taken away? None where nobody can tell.
        fields: for JSON tasks, each expected field: is it right?
    """

    success: float
    valid: bool
    recoverable: float | None = None
    fields: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


def judge(task: TaskProfile, output: str, finished: bool, expected: str) -> Judgement:
    """Compare an output with the expected answer, as the task's shape asks."""
    match task.shape:
        case "labels":
            return _judge_label(task, output, expected)
        case "json":
            return _judge_json(task, output, expected)
        case "exact":
            return Judgement(float(_squeezed(output) == _squeezed(expected)), has_form(task, output, finished))
        case "text":
            return Judgement(token_f1(output, expected), has_form(task, output, finished))


def has_form(task: TaskProfile, output: str, finished: bool) -> bool:
    """Does the output have the task's form? A known label; an object of the known fields; some finished text."""
    match task.shape:
        case "labels":
            return normalised_label(output) in {normalised_label(label) for label in task.labels}
        case "json":
            return _has_schema(task, strict_json(output))
        case "exact" | "text":
            return finished and bool(output.strip())


def form_is_telling(task: TaskProfile) -> bool:
    """Can the task's form be told from ordinary prose? Then its appearance on off-task prompts is confusion."""
    return (task.shape == "labels" and bool(task.labels)) or (task.shape == "json" and bool(task.json_fields))


def normalised_label(text: str) -> str:
    """A label without outer space, case and closing punctuation."""
    return text.strip().casefold().rstrip(_EDGE_PUNCTUATION)


def token_f1(output: str, expected: str) -> float:
    """Harmonic mean of precision and recall of the output's words, each counted as often as it occurs.

    Source: Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1; articles are kept, because the task may not be English.
    """
    got, wanted = (Counter(_TOKEN.findall(text.casefold())) for text in (output, expected))
    if not got or not wanted:
        return float(got == wanted)
    shared = sum((got & wanted).values())
    return 2 * shared / (sum(got.values()) + sum(wanted.values()))


def words(text: str) -> list[str]:
    """The text's words in lower case; in writing without spaces, its characters."""
    return _TOKEN.findall(text.casefold())


def strict_json(text: str) -> Parsed:
    """The JSON value that the whole text is, or `NOT_JSON`: no fence, no chatter, no NaN, no key twice."""
    try:
        return cast(JsonValue, json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return NOT_JSON


def same_json(a: Parsed, b: Parsed) -> bool:
    """Equal as JSON: `1` is `1.0`, but `true` is not `1`, and order counts in lists only."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if a is NOT_JSON or b is NOT_JSON:
        return False
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_json(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def _judge_label(task: TaskProfile, output: str, expected: str) -> Judgement:
    wanted = normalised_label(expected)
    mentioned = [label for label in map(normalised_label, task.labels) if _mentions(output, label)]
    # "billing" inside "billing dispute" is no second label.
    longest = {label for label in mentioned if not any(label != other and label in other for other in mentioned)}
    success = normalised_label(output) == wanted
    return Judgement(
        success=float(success),
        valid=success or has_form(task, output, finished=True),
        recoverable=float(longest == {wanted}),
    )


def _mentions(output: str, label: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", output.casefold()) is not None


def _judge_json(task: TaskProfile, output: str, expected: str) -> Judgement:
    wanted, got = strict_json(expected), strict_json(output)
    success = same_json(got, wanted)
    embedded = _first_object(output) if got is NOT_JSON else got
    right = {
        name: float(isinstance(got, dict) and name in got and same_json(got[name], value))
        for name, value in (wanted.items() if isinstance(wanted, dict) else ())
    }
    return Judgement(
        success=float(success),
        valid=success or _has_schema(task, got),
        recoverable=float(same_json(embedded, wanted)),
        fields=right,
    )


def _has_schema(task: TaskProfile, value: Parsed) -> bool:
    if not task.json_fields:
        return value is not NOT_JSON
    if not isinstance(value, dict) or set(value) != set(task.json_fields):
        return False
    return all(not known or _spelled(value[name]) in known for name, known in task.json_fields.items())


def _spelled(value: JsonValue) -> str:
    """A closed value as the task profile spells it: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _first_object(text: str) -> Parsed:
    """The first JSON object inside a text, such as one in a code fence."""
    decoder = json.JSONDecoder(object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    for start in (match.start() for match in re.finditer(r"\{", text)):
        try:
            return cast(JsonValue, decoder.raw_decode(text, start)[0])
        except (ValueError, RecursionError):
            continue
    return NOT_JSON


def _no_key_twice(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key occurs twice")
    return value


def _no_constant(name: str) -> JsonValue:
    raise JSONDecodeError(f"{name} is not JSON", name, 0)


def _squeezed(text: str) -> str:
    return " ".join(text.split())
