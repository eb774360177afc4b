"""Fields that are missing or of the wrong type."""

from __future__ import annotations

from collections.abc import Mapping

from truetune.core.records import DataFormat
from truetune.stages.data.checks.base import NEVER_A_ROW, Check, fault_findings

CODE = "data.record.type"
_FIX = "give the field the type that the format asks for, or delete the row"


def type_fault(record: object, name: DataFormat) -> str | None:
    """What is missing or of the wrong type in a record of that format; None where all can be read."""
    if not isinstance(record, dict):
        return f"a row must be an object, this is {_kind(record)}"
    if name == "messages":
        return _messages_fault(record, "messages")
    if name == "alpaca":
        return _text_fault(record, "instruction") or _text_fault(record, "output") or _optional_text_fault(record, "input")
    if name == "prompt_completion":
        return _text_or_messages_fault(record, "prompt") or _text_or_messages_fault(record, "completion")
    return _preference_fault(record)


def _preference_fault(record: Mapping[str, object]) -> str | None:
    sides = _text_or_messages_fault(record, "chosen") or _text_or_messages_fault(record, "rejected")
    if sides:
        return sides
    if record.get("prompt") is None and isinstance(record["chosen"], list) and isinstance(record["rejected"], list):
        return None
    return _text_or_messages_fault(record, "prompt")


def _text_fault(record: Mapping[str, object], key: str) -> str | None:
    if key not in record:
        return f"the field {key!r} is missing"
    return None if isinstance(record[key], str) else f"{key!r} must be text, this is {_kind(record[key])}"


def _optional_text_fault(record: Mapping[str, object], key: str) -> str | None:
    return None if record.get(key) is None else _text_fault(record, key)


def _text_or_messages_fault(record: Mapping[str, object], key: str) -> str | None:
    return _messages_fault(record, key) if isinstance(record.get(key), list) else _text_fault(record, key)


def _messages_fault(record: Mapping[str, object], key: str) -> str | None:
    if key not in record:
        return f"the field {key!r} is missing"
    turns = record[key]
    if not isinstance(turns, list):
        return f"{key!r} must be a list of turns, this is {_kind(turns)}"
    if not turns:
        return f"{key!r} has no turn"
    for number, turn in enumerate(turns, start=1):
        fault = _turn_fault(turn)
        if fault:
            return f"turn {number} of {key!r}: {fault}"
    return None


def _turn_fault(turn: object) -> str | None:
    if not isinstance(turn, dict):
        return f"a turn must be an object, this is {_kind(turn)}"
    return _text_fault(turn, "role") or _text_fault(turn, "content")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "bytes" if isinstance(value, bytes) else f"a {type(value).__name__}")


CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every record has the fields of its format, each of the right type.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
)
