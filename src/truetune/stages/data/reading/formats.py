"""The row formats: told apart by their keys, and turned into conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from truetune.core.errors import DataError
from truetune.core.ports import Message
from truetune.core.records import DataFormat, SourceFile

FORMAT_KEYS: tuple[tuple[DataFormat, frozenset[str]], ...] = (
    ("messages", frozenset({"messages"})),
    ("preference", frozenset({"chosen", "rejected"})),
    ("unpaired_preference", frozenset({"conversations", "kto_tag"})),
    ("unpaired_preference", frozenset({"instruction", "output", "kto_tag"})),
    ("sharegpt", frozenset({"conversations"})),
    ("triplet", frozenset({"query", "positive", "negative"})),
    ("alpaca", frozenset({"instruction", "output"})),
    ("unpaired_preference", frozenset({"prompt", "completion", "label"})),
    ("prompt_completion", frozenset({"prompt", "completion"})),
)
"""The keys that make a record one of a format, the more special ones first. More keys (id, source, metadata) are accepted
everywhere; `label` makes a preference only where it is a judgement, see `judgement`. Source: the formats of TRL (docs, "Dataset
formats") and of LLaMA-Factory (data/README.md)."""

KNOWN_COLUMNS = frozenset().union(*(keys for _, keys in FORMAT_KEYS)) - {"label", "query"}
"""Keys that tell that a table holds rows of ours. `label` and `query` are columns of every other table too."""

SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "function_call": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
}
"""Whom `from` names in ShareGPT data. Source: the tags of LLaMA-Factory's data/README.md; and the roles by their own names."""

_UNTRAINABLE: dict[DataFormat, str] = {
    "triplet": "embedding triplets, and embedding models are not trained here yet",
    "unpaired_preference": "answers judged good or bad one by one, and training on those (KTO) is not built yet",
}
_FEWEST_KEYS = {name: len(keys) for name, keys in reversed(FORMAT_KEYS)}
_JUDGEMENTS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A record's turns, and what else its format says of them.

    Attributes:
        messages: the turns; a triplet's are its query and its positive.
        rejected: the lower ranked answer of a preference row.
        same_prompt: false where a preference row's two sides answer different prompts.
        desirable: an unpaired preference row's judgement of its answer.
        negatives: a triplet's negatives.
    """

    messages: tuple[Message, ...]
    rejected: str | None = None
    same_prompt: bool = True
    desirable: bool | None = None
    negatives: tuple[str, ...] = ()


def format_of(record: object) -> DataFormat | None:
    """The format whose keys the record has, None where it has none's."""
    if isinstance(record, dict):
        for name, keys in FORMAT_KEYS:
            if keys <= record.keys() and ("label" not in keys or judgement(record["label"]) is not None):
                return name
    return None


def judgement(label: object) -> bool | None:
    """What a label says of an answer: good (true, 1) or bad (false, 0), as text in a table too; None for another label."""
    if isinstance(label, str):
        return _JUDGEMENTS.get(label.strip().lower())
    return bool(label) if isinstance(label, int) and label in (0, 1) else None


def require_trainable(sources: Sequence[SourceFile]) -> None:
    """Refuse data that the gate can check and no training of ours can use.

    Raises:
        DataError: for the first such file.
    """
    for source in sources:
        if source.format in _UNTRAINABLE:
            raise DataError(
                "data.format.untrainable",
                f"{source.path} cannot be trained on",
                why=f"its rows are {_UNTRAINABLE[source.format]}",
                fix=f"truetune check {source.path} still says what is wrong in it; to train, give `messages` or another format "
                "with answers",
                where=source.path,
            )


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
            for name, keys in FORMAT_KEYS:
                self._shares[name] = max(self._shares[name], len(keys & record.keys()))

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
            # A judged answer that lacks its judgement is a pair: of two formats that fit as well, the one that asks for less.
            shares = self._shares
            return max(shares, key=lambda name: (shares[name], -_FEWEST_KEYS[name])) if shares else "messages"
        first = self._first
        raise DataError(
            "data.format.unknown",
            f"the rows of {shown} are in no format that can be read",
            why=_why_unknown(first),
            fix="give each row `messages`, `conversations`, `instruction` + `output`, `prompt` + `completion` (+ `label`), "
            "`chosen` + `rejected` with `prompt` (or `conversations`, `instruction`), or `query` + `positive` + `negative`",
            where=f"{shown}:1",
        )


def _why_unknown(first: object) -> str:
    if not isinstance(first, dict):
        return "they are not objects"
    keys = f"the first row has the keys {', '.join(map(repr, list(first)[:8]))}"
    return f"{keys}; in running text nothing says where a prompt ends and an answer begins" if "text" in first else keys


def conversation_of(record: Mapping[str, object], name: DataFormat) -> Conversation:
    """The turns of a record whose types have been checked (`checks.types.type_fault` found nothing)."""
    return _READERS[name](record)


def _alpaca(record: Mapping[str, object]) -> Conversation:
    return Conversation((*_alpaca_prompt(record), _turn("assistant", str(record["output"]))))


def _completion(record: Mapping[str, object]) -> Conversation:
    return Conversation(_prompt(record["prompt"]) + _answer(record["completion"]))


def _triplet(record: Mapping[str, object]) -> Conversation:
    negative = record["negative"]
    negatives = tuple(map(str, negative)) if isinstance(negative, list) else (str(negative),)
    return Conversation(_prompt(record["query"]) + _answer(record["positive"]), negatives=negatives)


def _unpaired(record: Mapping[str, object]) -> Conversation:
    judged = judgement(record["kto_tag"] if "kto_tag" in record else record["label"])
    return replace(conversation_of(record, _judged_format(record)), desirable=judged)


def _judged_format(record: Mapping[str, object]) -> DataFormat:
    """The format of a record without its judgement."""
    return "prompt_completion" if "kto_tag" not in record else "sharegpt" if "conversations" in record else "alpaca"


def _alpaca_prompt(record: Mapping[str, object]) -> tuple[Message, ...]:
    """System prompt, earlier exchanges (`history`), and the instruction with its input."""
    system, history = str(record.get("system") or ""), record.get("history")
    asked = [str(record["instruction"]), str(record.get("input") or "")]
    turns = [_turn("system", system)] if system.strip() else []
    for said, answered in history if isinstance(history, list) else []:
        turns += [_turn("user", str(said)), _turn("assistant", str(answered))]
    return (*turns, _turn("user", "\n\n".join(part for part in asked if part.strip())))


def _sharegpt(record: Mapping[str, object]) -> tuple[Message, ...]:
    """The turns under the roles that others call them by; a `system` beside the turns comes first."""
    turns = record["conversations"] if isinstance(record["conversations"], list) else []
    said = tuple(map(_said, turns))
    system = str(record.get("system") or "")
    return (_turn("system", system), *said) if system.strip() else said


def _preference(record: Mapping[str, object]) -> Conversation:
    prompt: tuple[Message, ...] = ()
    if record.get("prompt") is not None:
        prompt = _prompt(record["prompt"])
    elif "conversations" in record:
        prompt = _sharegpt(record)
    elif "instruction" in record:
        prompt = _alpaca_prompt(record)
    chosen, rejected = _answer(record["chosen"]), _answer(record["rejected"])
    if not prompt:
        return Conversation(chosen, rejected[-1]["content"] if rejected else "", chosen[:-1] == rejected[:-1])
    sides = [side[len(prompt) :] if side[: len(prompt)] == prompt else side for side in (chosen, rejected)]
    same = len(sides[0]) == len(sides[1]) == 1
    return Conversation(prompt + sides[0], sides[1][-1]["content"] if sides[1] else "", same)


def _messages(value: object) -> tuple[Message, ...]:
    turns = value if isinstance(value, list) else []
    return tuple(map(_said, turns))


def _said(turn: Mapping[str, object]) -> Message:
    """One turn, in either spelling; of content in parts the texts, one below the other."""
    if "from" in turn:
        return _turn(SPEAKERS.get(str(turn["from"]).strip().lower(), str(turn["from"])), str(turn["value"]))
    content = turn["content"]
    parts = [str(part["text"]) for part in content] if isinstance(content, list) else [str(content)]
    return _turn(str(turn["role"]), "\n".join(parts))


def _prompt(value: object) -> tuple[Message, ...]:
    return (_turn("user", value),) if isinstance(value, str) else _messages(value)


def _answer(value: object) -> tuple[Message, ...]:
    if isinstance(value, dict):
        return (_said(value),)
    return (_turn("assistant", value),) if isinstance(value, str) else _messages(value)


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


_READERS: dict[DataFormat, Callable[[Mapping[str, object]], Conversation]] = {
    "messages": lambda record: Conversation(_messages(record["messages"])),
    "sharegpt": lambda record: Conversation(_sharegpt(record)),
    "alpaca": _alpaca,
    "prompt_completion": _completion,
    "preference": _preference,
    "unpaired_preference": _unpaired,
    "triplet": _triplet,
}
