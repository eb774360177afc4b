"""The row formats: told apart by their keys, and turned into conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from truetune.core.errors import DataError
from truetune.core.ports import Message
from truetune.core.records import DataFormat

FORMAT_KEYS: dict[DataFormat, frozenset[str]] = {
    "messages": frozenset({"messages"}),
    "preference": frozenset({"chosen", "rejected"}),
    "alpaca": frozenset({"instruction", "output"}),
    "prompt_completion": frozenset({"prompt", "completion"}),
}
"""The keys that make a record one of a format. More keys (id, source, metadata) are accepted everywhere."""

KNOWN_COLUMNS = frozenset().union(*FORMAT_KEYS.values())


@dataclass(frozen=True, slots=True)
class Conversation:
    """A record's turns. `same_prompt` is false where a preference row's two sides answer different prompts."""

    messages: tuple[Message, ...]
    rejected: str | None = None
    same_prompt: bool = True


def format_of(record: object) -> DataFormat | None:
    """The format whose keys the record has, None where it has none's."""
    if isinstance(record, dict):
        for name, keys in FORMAT_KEYS.items():
            if keys <= record.keys():
                return name
    return None


class FormatVote:
    """The format of most of a file's records, counted one record at a time."""

    def __init__(self) -> None:
        """No record has been seen."""
        self._votes: Counter[DataFormat] = Counter()
        self._shares: Counter[DataFormat] = Counter()
        self._records = 0
        self._has_known_columns = False
        self._first: object = None

    def count(self, record: object) -> None:
        """One more record."""
        if not self._records:
            self._first = record
        self._records += 1
        name = format_of(record)
        if name is not None:
            self._votes[name] += 1
        elif isinstance(record, dict):
            self._has_known_columns |= not KNOWN_COLUMNS.isdisjoint(record)
            self._shares.update({name: len(keys & record.keys()) for name, keys in FORMAT_KEYS.items()})

    @property
    def is_cast(self) -> bool:
        """Had a record the keys of a format?"""
        return bool(self._votes)

    def winner(self, shown: str) -> DataFormat:
        """The format of most records; `messages` where there is no record to tell by.

        Raises:
            DataError: there are records, and none has the keys of any format.
        """
        if self._votes:
            return max(self._votes, key=lambda name: self._votes[name])
        # A record that lacks a key is a finding about that record; a file in which none has them is not ours to judge.
        if not self._records or self._has_known_columns:
            return max(self._shares, key=lambda name: self._shares[name]) if self._shares else "messages"
        first = self._first
        raise DataError(
            "data.format.unknown",
            f"the rows of {shown} are in no format that can be trained on",
            why=f"the first row has the keys {', '.join(map(repr, list(first)[:8]))}"
            if isinstance(first, dict)
            else "they are not objects",
            fix="give each row `messages`, `instruction` + `output`, `prompt` + `completion` or `prompt` + `chosen` + `rejected`",
            where=f"{shown}:1",
        )


def conversation_of(record: Mapping[str, object], name: DataFormat) -> Conversation:
    """The turns of a record whose types have been checked (`checks.types.type_fault` found nothing)."""
    if name == "messages":
        return Conversation(_messages(record["messages"]))
    if name == "alpaca":
        asked = [str(record["instruction"]), str(record.get("input") or "")]
        prompt = "\n\n".join(part for part in asked if part.strip())
        return Conversation((_turn("user", prompt), _turn("assistant", str(record["output"]))))
    if name == "prompt_completion":
        return Conversation(_prompt(record["prompt"]) + _answer(record["completion"]))
    return _preference(record)


def _preference(record: Mapping[str, object]) -> Conversation:
    prompt = _prompt(record["prompt"]) if record.get("prompt") is not None else ()
    chosen, rejected = _answer(record["chosen"]), _answer(record["rejected"])
    if not prompt:
        return Conversation(chosen, rejected[-1]["content"] if rejected else "", chosen[:-1] == rejected[:-1])
    sides = [side[len(prompt) :] if side[: len(prompt)] == prompt else side for side in (chosen, rejected)]
    same = len(sides[0]) == len(sides[1]) == 1
    return Conversation(prompt + sides[0], sides[1][-1]["content"] if sides[1] else "", same)


def _messages(value: object) -> tuple[Message, ...]:
    turns = value if isinstance(value, list) else []
    return tuple(_turn(str(turn["role"]), str(turn["content"])) for turn in turns)


def _prompt(value: object) -> tuple[Message, ...]:
    return (_turn("user", value),) if isinstance(value, str) else _messages(value)


def _answer(value: object) -> tuple[Message, ...]:
    return (_turn("assistant", value),) if isinstance(value, str) else _messages(value)


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}
