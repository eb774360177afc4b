"""Names and numbers as a person reads them: the field's words, a thin space before a unit, no false precision."""

from __future__ import annotations

import math

THIN = "\u202f"
MINUS = "\u2212"

CANDIDATES = {
    "base_model": "Base",
    "few_shot_base": "Base + few-shot",
    "tuned_adapter": "Tuned adapter",
    "merged_model": "Merged model",
}
SUITES = {
    "test": "frozen test",
    "gold": "gold set",
    "general": "general knowledge",
    "general_knowledge": "general knowledge",
    "off_task": "off-task prompts",
}
_METRICS = {
    "task_success": "Task success",
    "schema_validity": "Schema validity",
    "forgetting": "Forgetting",
    "refusal_regression": "New refusals",
    "toxicity_regression": "New toxicity",
    "diversity_loss": "Loss of diversity",
    "task_confusion": "Task confusion",
    "merge_drift": "Adapter to merged drift",
    "accuracy": "Accuracy",
    "adapter_equals_merged": "Merged equals adapter",
    "beats_base_model": "Beats the base",
    "beats_few_shot_base": "Beats base + few-shot",
    "task_format": "Answers in the task’s form",
    "instruction_success": "Instructions followed",
    "recoverable": "Right once extracted from the text around",
}
_PLAIN_METRICS = {
    "merge_drift",
    "adapter_equals_merged",
    "human_review",
    "max_abs_logit",
    "mean_kl_nats",
    "kl",
    "compression_ratio",
    "perplexity",
    "loss",
}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS_BYTES = ("B", "kB", "MB", "GB", "TB")


def candidate_name(name: str) -> str:
    """A candidate as people call it."""
    return CANDIDATES.get(name, sentence(name))


def suite_name(name: str) -> str:
    """A suite as people call it, in lower case."""
    return SUITES.get(name, name.replace("_", " "))


def metric_name(name: str) -> str:
    """A metric, or the contract's bound on it, as people call it."""
    stem = metric_stem(name)
    if stem.startswith("field."):
        return f"Field {stem.removeprefix('field.')}"
    return _METRICS.get(stem, sentence(stem))


def metric_stem(name: str) -> str:
    """The metric that a bound such as `task_success_min` is about."""
    return name.removesuffix("_min").removesuffix("_max")


def is_fraction(metric: str) -> bool:
    """Is the metric a share, which people read as percent?"""
    return metric_stem(metric) not in _PLAIN_METRICS


def sentence(name: str) -> str:
    """`snake_case` as the beginning of a sentence."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def percent(value: float | None, digits: int = 1) -> str:
    """A share as percent; a dash where there is none."""
    if value is None:
        return "–"
    return _signed(f"{100 * value:.{digits}f}") + THIN + "%"


def points(value: float, digits: int = 1) -> str:
    """A difference of two shares in percentage points, with its sign."""
    text = f"{100 * value:+.{digits}f}"
    return _signed(text) + THIN + "pt"


def number(value: float | None) -> str:
    """Any other number: three significant digits, powers of ten where it is very small or large."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if value == int(value) and size < 1e12:
        return _signed(f"{int(value):,}")
    if 1e-3 <= size < 1e6:
        text = f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"
        return _signed(text)
    return scientific(value)


def scientific(value: float) -> str:
    """A number as a power of ten, `5 × 10⁻⁴`; 0 stays 0."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{_signed(mantissa.removesuffix('.0'))}{THIN}×{THIN}10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def measure(metric: str, value: float | None) -> str:
    """A metric's value in its own unit."""
    return percent(value) if is_fraction(metric) else number(value)


def span(metric: str, low: float, high: float) -> str:
    """An interval in the metric's own unit."""
    if not is_fraction(metric):
        return f"{number(low)} to {number(high)}"
    return f"{_signed(f'{100 * low:.1f}')} to {_signed(f'{100 * high:.1f}')}{THIN}%"


def p_value(value: float) -> str:
    """A p-value, never as 0."""
    return f"p{THIN}<{THIN}0.001" if value < 0.001 else f"p{THIN}={THIN}{value:.3f}"


def test_name(name: str) -> str:
    """A statistical test as the literature writes it."""
    return name.replace("_", " ").replace("mcnemar", "McNemar").replace("wilson", "Wilson").replace("fisher", "Fisher")


def duration(seconds: float) -> str:
    """Time as people say it: `41 s`, `3 min 12 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.1f}{THIN}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{THIN}s"
    if whole < 3600:
        return f"{whole // 60}{THIN}min {whole % 60:02d}{THIN}s"
    return f"{whole // 3600}{THIN}h {whole % 3600 // 60:02d}{THIN}min"


def size(count_bytes: float) -> str:
    """Bytes in the decimal unit that gives one to three digits before the point."""
    value, unit = float(count_bytes), 0
    while abs(value) >= 1000 and unit < len(_UNITS_BYTES) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or abs(value) >= 100 else 1
    return f"{value:.{digits}f}{THIN}{_UNITS_BYTES[unit]}"


def keyed(key: str, value: float | None) -> str:
    """A number whose key carries its unit (`_s`, `_bytes`, `_usd`, `_frac`), as records name them."""
    if value is None:
        return "not measured"
    if key.endswith("_bytes"):
        return size(value)
    if key.endswith("_usd"):
        return f"${value:,.2f}"
    if key.endswith("_s") and not key.endswith("_per_s"):
        return duration(value)
    share = key.endswith("_frac") or any(word in key for word in ("success", "validity", "accuracy", "forgetting"))
    return percent(value) if share and -1.0 <= value <= 1.0 else number(value)


def key_name(key: str) -> str:
    """A keyed number's name without its unit."""
    for unit in ("_bytes", "_usd", "_frac"):
        key = key.removesuffix(unit)
    return sentence(key.removesuffix("_s") if not key.endswith("_per_s") else key)


def _signed(text: str) -> str:
    zero = text.lstrip("-").strip("0.") == ""
    return (text.lstrip("-") if zero else text).replace("-", MINUS)
