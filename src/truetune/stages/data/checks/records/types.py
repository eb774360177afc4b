"""Fields that are missing or of the wrong type."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from truetune.core.records import DataFormat
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings
from truetune.stages.data.reading.formats import judgement

CODE = "data.record.type"
_CALLS = ("tool_calls", "function_call")
_FIX = "give the field the type that the format asks for, or delete the row"


def type_fault(record: object, name: DataFormat) -> str | None:
    """What is missing or of the wrong type in a record of that format; None where all can be read."""
    if not isinstance(record, dict):
        return f"a row must be an object, this is {_kind(record)}"
    return _FAULTS[name](record)


def _alpaca_fault(record: Mapping[str, object]) -> str | None:
    return _alpaca_prompt_fault(record) or _text_fault(record, "output")


def _alpaca_prompt_fault(record: Mapping[str, object]) -> str | None:
    texts = _text_fault(record, "instruction") or _optional_text_fault(record, "input") or _optional_text_fault(record, "system")
    history = record.get("history")
    if texts or history is None:
        return texts
    pairs = history if isinstance(history, list) else [None]
    if any(not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair) for pair in pairs):
        return "'history' must be a list of pairs of texts, each what was asked and what was answered"
    return None


def _triplet_fault(record: Mapping[str, object]) -> str | None:
    return _text_fault(record, "query") or _text_fault(record, "positive") or _negatives_fault(record)


def _completion_fault(record: Mapping[str, object]) -> str | None:
    return _text_or_messages_fault(record, "prompt") or _text_or_messages_fault(record, "completion")


def _negatives_fault(record: Mapping[str, object]) -> str | None:
    negatives = record.get("negative")
    if not isinstance(negatives, list):
        return _text_fault(record, "negative")
    if not negatives:
        return "'negative' has no text"
    wrong = next((item for item in negatives if not isinstance(item, str)), None)
    return (
        None if all(isinstance(item, str) for item in negatives) else f"each of 'negative' must be text, this is {_kind(wrong)}"
    )


def _unpaired_fault(record: Mapping[str, object]) -> str | None:
    if "kto_tag" not in record:
        return _completion_fault(record) or _judgement_fault(record, "label")
    sides = _sharegpt_fault(record) if "conversations" in record else _alpaca_fault(record)
    return sides or _judgement_fault(record, "kto_tag")


def _judgement_fault(record: Mapping[str, object], key: str) -> str | None:
    if key not in record:
        return f"the field {key!r} is missing"
    if judgement(record[key]) is not None:
        return None
    return f"{key!r} must say true (a good answer) or false (a bad one), this is {_kind(record[key])}"


def _preference_fault(record: Mapping[str, object]) -> str | None:
    sides = _side_fault(record, "chosen") or _side_fault(record, "rejected")
    if sides:
        return sides
    if record.get("prompt") is None and "conversations" in record:
        return _sharegpt_fault(record)
    if record.get("prompt") is None and "instruction" in record:
        return _alpaca_prompt_fault(record)
    if record.get("prompt") is None and isinstance(record["chosen"], list) and isinstance(record["rejected"], list):
        return None
    return _text_or_messages_fault(record, "prompt")


def _side_fault(record: Mapping[str, object], key: str) -> str | None:
    """An answer as text, as turns, or as the one turn of ShareGPT data."""
    if not isinstance(record.get(key), dict):
        return _text_or_messages_fault(record, key)
    fault = _sharegpt_turn_fault(record[key])
    return f"{key!r}: {fault}" if fault else None


def _text_fault(record: Mapping[str, object], key: str) -> str | None:
    if key not in record:
        return f"the field {key!r} is missing"
    return None if isinstance(record[key], str) else f"{key!r} must be text, this is {_kind(record[key])}"


def _optional_text_fault(record: Mapping[str, object], key: str) -> str | None:
    return None if record.get(key) is None else _text_fault(record, key)


def _text_or_messages_fault(record: Mapping[str, object], key: str) -> str | None:
    return _messages_fault(record, key) if isinstance(record.get(key), list) else _text_fault(record, key)


def _sharegpt_fault(record: Mapping[str, object]) -> str | None:
    return _turns_fault(record, "conversations", _sharegpt_turn_fault) or _optional_text_fault(record, "system")


def _messages_fault(record: Mapping[str, object], key: str) -> str | None:
    return _turns_fault(record, key, _turn_fault)


def _turns_fault(record: Mapping[str, object], key: str, turn_fault: Callable[[object], str | None]) -> str | None:
    if key not in record:
        return f"the field {key!r} is missing"
    turns = record[key]
    if not isinstance(turns, list):
        return f"{key!r} must be a list of turns, this is {_kind(turns)}"
    if not turns:
        return f"{key!r} has no turn"
    for number, turn in enumerate(turns, start=1):
        fault = turn_fault(turn)
        if fault:
            return f"turn {number} of {key!r}: {fault}"
    return None


def _turn_fault(turn: object) -> str | None:
    if not isinstance(turn, dict):
        return f"a turn must be an object, this is {_kind(turn)}"
    return _text_fault(turn, "role") or _weight_fault(turn) or _content_fault(turn)


def _content_fault(turn: Mapping[str, object]) -> str | None:
    """Text, or parts that are all text."""
    content = turn.get("content")
    if content is None and any(turn.get(key) for key in _CALLS):
        return "it calls a tool in a field of its own, which is not read; write the call as text in 'content'"
    if not isinstance(content, list):
        return _text_fault(turn, "content")
    if not content:
        return "'content' has no part"
    for part in content:
        if not isinstance(part, dict) or part.get("type", "text") != "text":
            kind = repr(part.get("type")) if isinstance(part, dict) else _kind(part)
            return f"'content' has a part of another kind than text ({kind}); only text is read"
        if fault := _text_fault(part, "text"):
            return f"a part of 'content': {fault}"
    return None


def _weight_fault(turn: Mapping[str, object]) -> str | None:
    """OpenAI's `weight` of 0 keeps an answer out of the loss; here every answer of a row is trained."""
    if turn.get("weight") == 0 and turn.get("role") == "assistant":
        return (
            "it has weight 0 (not to be trained on), and every answer of a row is trained: end the row before it, or leave it out"
        )
    return None


def _sharegpt_turn_fault(turn: object) -> str | None:
    """Turns of either spelling: files that were half converted have both."""
    if isinstance(turn, dict) and ("from" in turn or "role" not in turn):
        return _text_fault(turn, "from") or _text_fault(turn, "value")
    return _turn_fault(turn)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "bytes" if isinstance(value, bytes) else f"a {type(value).__name__}")


_FAULTS: dict[DataFormat, Callable[[Mapping[str, object]], str | None]] = {
    "messages": lambda record: _messages_fault(record, "messages"),
    "sharegpt": _sharegpt_fault,
    "alpaca": _alpaca_fault,
    "prompt_completion": _completion_fault,
    "preference": _preference_fault,
    "unpaired_preference": _unpaired_fault,
    "triplet": _triplet_fault,
}

CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every record has the fields of its format, each of the right type.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
