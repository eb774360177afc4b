"""Was anything trained at all?"""

from __future__ import annotations

from truetune.core.records import Finding, TrainRecord

MIN_TOKENS_PER_ROW = 2.0
"""An answer has at least one token and the token that ends it. Source: by definition of the mask."""


def check(train: TrainRecord) -> Finding | None:
    """Finds a training in which no token carried loss, or on average not more than the end token of each answer."""
    rows = train.examples * train.epochs
    per_row = train.trained_tokens / rows if rows else 0.0
    if per_row >= MIN_TOKENS_PER_ROW:
        return None
    nothing = train.trained_tokens == 0
    message = (
        "no token carried loss: nothing was trained, whatever the curve looks like"
        if nothing
        else f"only {per_row:.2f} tokens a row carried loss, which is no more than the end of each answer"
    )
    return Finding(
        code="train.mask.all_masked",
        severity="block" if nothing else "warn",
        message=message,
        evidence={
            "trained_tokens": train.trained_tokens,
            "tokens": train.tokens_seen,
            "rows_seen": rows,
            "trained_tokens_per_row": per_row,
        },
        fix="truetune check FILE shows rows token by token: look for empty answers, or a template that the mask does not fit",
    )
