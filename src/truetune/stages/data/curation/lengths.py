"""The over-length policy on curated files: rows that are too long left out or made to fit, in the user's own format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from truetune.core.config import DataConfig
from truetune.core.ports import Message, Progress
from truetune.core.records import DataFormat
from truetune.stages.data.check import Judged
from truetune.stages.data.checks.registry import in_order
from truetune.stages.data.checks.template import context_length
from truetune.stages.data.curation.policy import statistics
from truetune.stages.data.curation.redaction import RedactedRows
from truetune.stages.data.training_rows.over_length import Piece, Window
from truetune.stages.data.training_rows.tokens import Fitting, token_stats, tokenise


@dataclass(frozen=True)
class Fitted:
    """What was judged, with the template's findings, and what became of the rows that were too long, by position."""

    judged: Judged
    pieces: Mapping[int, tuple[Piece, ...]]


def fitted(judged: Judged, window: Window, config: DataConfig, progress: Progress) -> Fitted:
    """Tokenise the rows that are kept as the data stage does, and apply its policy to those that are too long."""
    corpus = judged.corpus
    left = [position for position in range(len(corpus.rows)) if position not in judged.dropped]
    rows, rule = RedactedRows(corpus.rows, judged.redaction), Fitting(config, len(corpus.rows), judged.rules)
    tokenised = tokenise(rows, left, window, rule, progress)
    findings = in_order([*judged.findings, *corpus.readable(judged.rules.applied(tokenised.findings))])
    dropped = {**judged.dropped, **tokenised.drops}
    stats = statistics(corpus, findings, dropped, judged.rules, judged.redaction.positions)
    over_length = Counter(finding.code for finding in findings)[context_length.CODE]
    stats = stats.model_copy(update={"tokens": token_stats(tokenised, over_length, window.max_length)})
    return Fitted(replace(judged, findings=findings, dropped=dropped, stats=stats), tokenised.pieces)


def records_of(record: Mapping[str, object], name: DataFormat, pieces: Sequence[Piece]) -> Iterator[dict[str, object]]:
    """A record as the records that its pieces are: the same format, and every other key as it was given."""
    start = 0
    for piece in pieces:
        messages = piece.row.messages
        turns = [message for message in messages if message["role"] != "system"]
        yield _record_of(record, name, messages, start)
        start += len(turns)


def _record_of(record: Mapping[str, object], name: DataFormat, messages: Sequence[Message], start: int) -> dict[str, object]:
    """`start` is how many turns, the system prompt not counted, the pieces before this one have."""
    if name == "alpaca":
        said = [message["content"] for message in messages if message["role"] != "system"]
        earlier = (
            {"history": [list(pair) for pair in zip(said[:-2:2], said[1:-2:2], strict=True)]} if record.get("history") else {}
        )
        return {**record, "instruction": said[-2], "input": "", "output": said[-1], **earlier}
    if name == "prompt_completion":
        is_text = isinstance(record["prompt"], str)
        sides = (messages[-2]["content"], messages[-1]["content"]) if is_text else (list(messages[:-1]), [messages[-1]])
        return {**record, "prompt": sides[0], "completion": sides[1]}
    key = "conversations" if name == "sharegpt" else "messages"
    return {**record, key: _turns(record[key], messages, start)}


def _turns(given: object, messages: Sequence[Message], start: int) -> list[dict[str, object]]:
    """The turns as they were given, each with the content that it has now. A system prompt beside the turns stays there."""
    turns: list[dict[str, object]] = list(given) if isinstance(given, list) else []
    first = [turn for turn in turns[:1] if "system" in (turn.get("role"), str(turn.get("from")).lower())]
    said = list(messages) if first else [message for message in messages if message["role"] != "system"]
    own = [*first, *turns[len(first) + start :]]
    return [{**turn, "value" if "from" in turn else "content": now["content"]} for turn, now in zip(own, said, strict=False)]
