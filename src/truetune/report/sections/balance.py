"""Within the data: what the rows teach as a whole, whether there are enough of them, and what was mixed in."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from truetune.core.records import DataBalance, DataRecord, DataSizing, LabelBalance, Quantiles, ReplayInfo, Share
from truetune.core.units import plural
from truetune.report import charts, wording
from truetune.report.charts import Bar
from truetune.report.shown import Shown

_MOST_BARS = 10
_MOST_FIELDS = 3
Pair = tuple[str, str]


@dataclass(frozen=True)
class Plot:
    """A chart with its title and a line that says what to make of it."""

    title: str
    note: str
    chart: Markup


@dataclass(frozen=True)
class SizingView:
    """Is this enough, and why."""

    verdict: str
    have: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BalanceView:
    """What the rows have in common."""

    pairs: tuple[Pair, ...]
    plots: tuple[Plot, ...]
    sizing: SizingView | None
    replay: tuple[Pair, ...]


def view(data: DataRecord, shown: Shown) -> BalanceView | None:
    """The balance, or None where the record was written before it was measured."""
    if data.balance is None:
        return None
    return BalanceView(
        pairs=_pairs(data.balance, shown),
        plots=tuple(_plots(data.balance, shown)),
        sizing=_sizing(data.sizing) if data.sizing else None,
        replay=_replay(data.replay, shown) if data.replay else (),
    )


def _pairs(balance: DataBalance, shown: Shown) -> tuple[Pair, ...]:
    pairs = [
        ("Prompt", _spread(balance.prompt_chars, "characters")),
        ("Answer", _spread(balance.answer_chars, "characters")),
        ("Commonest answer", f"{wording.percent(balance.commonest_answer_frac, 1)} of the rows"),
    ]
    if balance.difficulty:
        hard = balance.difficulty
        spread = f"median {hard.median:.2f}; 90 of 100 from {hard.p05:.2f} to {hard.p95:.2f}"
        pairs.append(("Difficulty of the prompts", f"{spread}; 0 is a copy of another prompt, 1 is like no other, and hard"))
    if balance.distinct_openings is not None:
        pairs.append(("Ways to begin an answer", f"{balance.distinct_openings:,} different first four words"))
    if balance.off_task_rows is not None:
        pairs.append(("Rows of another kind", plural(balance.off_task_rows, "row")))
    pairs += [(f"Not measured: {name}", shown.text(reason)) for name, reason in balance.not_measured.items()]
    pairs.append(("Sample for topics and difficulty", f"{plural(balance.sampled_rows, 'row')}, seed {balance.seed}"))
    return tuple(pairs)


def _spread(q: Quantiles, unit: str) -> str:
    return f"median {q.median:,.0f} {unit}; 90 of 100 from {q.p05:,.0f} to {q.p95:,.0f}; most {q.max:,.0f}"


def _plots(balance: DataBalance, shown: Shown) -> list[Plot]:
    plots = [_labels(number, labels, shown) for number, labels in enumerate(balance.labels[:_MOST_FIELDS])]
    if balance.topics:
        bars = [
            Bar(shown.text(", ".join(topic.words)) or "(no common words)", topic.frac, wording.percent(topic.frac, 0))
            for topic in balance.topics[:_MOST_BARS]
        ]
        note = f"{plural(len(balance.topics), 'group')} of prompts that share words, largest first"
        plots.append(
            Plot("What the prompts are about", note, charts.bars("topics", "Topics", bars, "share of the sampled prompts"))
        )
    if balance.languages:
        plots.append(_shares("languages", "Languages", "of the sampled rows", balance.languages, shown))
    if balance.openings:
        note = "of the different answers; the same beginning again and again is the seed of modal collapse"
        plots.append(_shares("openings", "How answers begin", note, balance.openings, shown))
    return plots


def _labels(number: int, labels: LabelBalance, shown: Shown) -> Plot:
    bars = [_bar(share, shown) for share in labels.values[:_MOST_BARS]]
    rest = labels.classes - len(bars)
    if rest > 0:
        frac = max(0.0, 1.0 - sum(share.frac for share in labels.values[:_MOST_BARS]))
        bars.append(Bar(f"{rest} more", frac, wording.percent(frac, 1)))
    title = f"Values of {shown.text(labels.field)}" if labels.field else "Labels"
    note = (
        f"as hard to guess as {labels.effective_classes:.1f} equally common ones ({labels.entropy_bits:.2f} bits); rarest: "
        f"{shown.text(labels.rarest.name)}, {plural(labels.rarest.rows, 'row')}"
    )
    return Plot(title, note, charts.bars(f"labels-{number}", title, bars, "share of the rows"))


def _shares(key: str, title: str, note: str, shares: tuple[Share, ...], shown: Shown) -> Plot:
    return Plot(title, note, charts.bars(key, title, [_bar(share, shown) for share in shares[:_MOST_BARS]], f"share {note}"))


def _bar(share: Share, shown: Shown) -> Bar:
    return Bar(shown.text(share.name, limit=60), share.frac, f"{share.rows:,} · {wording.percent(share.frac, 1)}")


def _sizing(sizing: DataSizing) -> SizingView:
    have = f"{sizing.have_low:,}" if sizing.have_low == sizing.have_high else f"{sizing.have_low:,} to {sizing.have_high:,}"
    scale = f"too few below {sizing.floor:,}, enough from {sizing.enough:,}, more than needed above {sizing.plenty:,}"
    return SizingView(sizing.verdict, f"{have} {sizing.unit} for {sizing.job}: {scale}", sizing.reasons[1:])


def _replay(replay: ReplayInfo, shown: Shown) -> tuple[Pair, ...]:
    dropped = ", ".join(f"{n:,} {code}" for code, n in replay.dropped_by_code.items()) or "none"
    return (
        ("Source", shown.text(replay.source.path)),
        ("Licence", shown.text(replay.licence or "not stated")),
        ("Share of the tokens", f"{wording.percent(replay.share_tokens)} ({wording.percent(replay.share_asked)} asked for)"),
        ("Share of the trained tokens", wording.percent(replay.share_trained)),
        (
            "Rows mixed in",
            f"{replay.rows:,} of {replay.offered:,} ({replay.tokens:,} tokens beside {replay.task_tokens:,}), seed {replay.seed}",
        ),
        ("Left out", dropped),
    )
