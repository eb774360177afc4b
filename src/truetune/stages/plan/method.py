"""Which method fits this job, and why; and whether to prompt first."""

from __future__ import annotations

from truetune.core.config import TrainConfig
from truetune.core.records import DataRecord, Finding

PROMPT_FIRST_BELOW = 50
"""Source: OpenAI's fine-tuning guide: start with 50 well-made examples, improvements show from 50 to 100. Below that a prompt
with examples is the better first try. Counted in really different examples, not in rows."""


def choose_method(config: TrainConfig, data: DataRecord, parameters: int, adapter_parameters: int) -> tuple[str, tuple[str, ...]]:
    """The method in words, and the reasons for it."""
    unique = data.stats.effective_unique
    share = adapter_parameters / max(1, parameters)
    reasons = (
        f"{unique} really different examples of a {data.task.shape} task",
        *(data.sizing.reasons if data.sizing else ()),
        f"LoRA of rank {config.lora_r} trains {share:.1%} of {parameters / 1e6:.0f} M parameters: it fits small data and small"
        " machines, and forgets less than full tuning (2405.09673)",
    )
    if unique < PROMPT_FIRST_BELOW:
        return "few-shot prompt first", (f"fewer than {PROMPT_FIRST_BELOW} different examples: try a prompt first", *reasons)
    return "small SFT with LoRA", reasons


def check_examples(data: DataRecord) -> list[Finding]:
    """A warning where there are so few different examples that a prompt with them is the better first try."""
    unique = data.stats.effective_unique
    if unique >= PROMPT_FIRST_BELOW:
        return []
    return [
        Finding(
            code="plan.few_examples",
            severity="warn",
            message=f"{data.stats.rows} rows hold about {unique} different examples: a prompt with a few of them may do as well",
            evidence={"rows": data.stats.rows, "effective_unique": unique, "threshold": PROMPT_FIRST_BELOW},
            fix="compare with the few-shot base in the report before you collect more; aim at 50 to 100 different examples",
        )
    ]
