"""Has the model a vector for every token its tokenizer can make?"""

from __future__ import annotations

from truetune.core.ports import ChatTokenizer
from truetune.core.records import Finding


def check_vocabulary(tokenizer: ChatTokenizer, embedding_rows: int) -> list[Finding]:
    """Blocking where a token id could lie beyond the embedding: training would crash, or read memory that is not the model's."""
    if tokenizer.vocabulary_size <= embedding_rows:
        return []
    return [
        Finding(
            code="base.vocabulary.mismatch",
            severity="block",
            message=f"the tokenizer makes {tokenizer.vocabulary_size} token ids, the model has vectors for {embedding_rows}",
            evidence={"tokenizer": tokenizer.vocabulary_size, "embedding_rows": embedding_rows},
            fix="use the tokenizer that belongs to the model; a fine-tune that added tokens must ship its resized weights",
        )
    ]
