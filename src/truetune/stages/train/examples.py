"""The rows exactly as they are trained, with a last look at what the data gate has promised."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.core.chat import MaskedConversation, TemplateNotPrefixStable, mask_conversations
from truetune.core.errors import DataError
from truetune.core.ports import ChatTokenizer, TrainingExample
from truetune.core.records import SplitName, Tree
from truetune.evidence.curated import CuratedRow, read_split
from truetune.evidence.store import ObjectStore
from truetune.project.do_not_train.entries import DoNotTrainList
from truetune.project.do_not_train.matching import DoNotTrain, described, subject_of


def training_examples(
    store: ObjectStore,
    curated: Tree,
    split: SplitName,
    tokenizer: ChatTokenizer,
    max_length: int,
    do_not_train: DoNotTrainList | None,
) -> list[TrainingExample]:
    """One side of the split, tokenised and masked; every row has trained tokens and none is longer than `max_length`.

    No row is on the list `do_not_train`: the data gate has looked, but these are the rows that count, whoever made the shard.

    Raises:
        DataError: a row breaks that, or the template does not show where an answer lies. Nothing is cut or left out.
    """
    rows = read_split(store, curated, split)
    if do_not_train is not None:
        _require_allowed(rows, DoNotTrain(do_not_train), split)
    masked = _masked(tokenizer, rows)
    for row, conversation in zip(rows, masked, strict=True):
        _require(row, conversation, max_length)
    return [TrainingExample(row.row_id, m.ids, m.trained) for row, m in zip(rows, masked, strict=True)]


def _masked(tokenizer: ChatTokenizer, rows: Sequence[CuratedRow]) -> list[MaskedConversation]:
    try:
        return mask_conversations(tokenizer, [row.messages for row in rows])
    except TemplateNotPrefixStable as error:
        raise DataError(
            "train.mask.template",
            "the chat template does not show where an answer begins and ends",
            why=str(error),
            fix="use single-turn rows, or a base model whose template renders each turn the same whatever follows",
        ) from error


def _require_allowed(rows: Sequence[CuratedRow], listed: DoNotTrain, split: SplitName) -> None:
    for row in rows:
        entry = listed.entry_for(subject_of(row))
        if entry is not None:
            raise DataError(
                "train.do_not_train",
                f"a row of the {split} split, about to be tokenised, is on the do-not-train list",
                why=f"{described(entry)}; the curated data were made before the list said so, elsewhere, or edited",
                fix="truetune run --new: the data gate leaves the row out",
                where=f"{row.file}:{row.line}",
            )


def _require(row: CuratedRow, conversation: MaskedConversation, max_length: int) -> None:
    where = f"{row.file}:{row.line}"
    # The first token has nothing before it to be predicted from.
    if not any(conversation.trained[1:]):
        raise DataError(
            "train.mask.all_masked",
            "a row has no trained token",
            why="after the chat template, nothing of its answer is left to learn from",
            fix="truetune check FILE shows what is trained, token by token; correct the row or remove it",
            where=where,
        )
    if len(conversation.ids) > max_length:
        raise DataError(
            "train.length.context",
            f"a row has {len(conversation.ids)} tokens, {len(conversation.ids) - max_length} more than train.max_length",
            why="cutting it would train on half an answer, and rows are never cut in silence",
            fix=f"set train.max_length to {len(conversation.ids)} or more, then run again: the data gate drops what does not fit",
            where=where,
        )
