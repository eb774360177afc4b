"""Train, validation and test, cut once: the same rows and seed give the same sides, in whatever order the rows stand.

Whole clusters of copies go to one side. Where answers are labels or JSON, each kind of answer is spread over the sides in
proportion.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from truetune.core.config import SplitConfig
from truetune.core.records import SplitName
from truetune.evidence.curated import CuratedRow, from_parquet
from truetune.evidence.digests import json_digest


@dataclass(frozen=True, slots=True)
class SplitRow:
    """What the split needs to know of a row: its id, its cluster of copies, and its kind of answer."""

    row_id: str
    cluster: str
    stratum: str


@dataclass(frozen=True, slots=True)
class _Unit:
    key: str
    stratum: str
    row_ids: tuple[str, ...]


def rows_digest(rows: Iterable[CuratedRow]) -> str:
    """What freezes a side: the digest of its sorted row ids with their conversations."""
    return json_digest(sorted([row.row_id, list(row.messages)] for row in rows))


def split_digest(shard: bytes) -> str:
    """`rows_digest` of a stored shard, for whoever wants to know whether it is still the frozen one."""
    return rows_digest(from_parquet(shard))


def split_rows(rows: Sequence[SplitRow], config: SplitConfig, seed: int) -> dict[str, SplitName]:
    """The side of each row id. Sizes are the rounded shares, short only where clusters are too big to fit."""
    units = _units(rows, seed)
    sides: dict[str, SplitName] = {row.row_id: "train" for row in rows}
    left = units
    for side, frac in (("test", config.test_frac), ("validation", config.validation_frac)):
        taken = _take(left, round(frac * len(rows)), frac * len(rows))
        name: SplitName = "test" if side == "test" else "validation"
        sides.update({row_id: name for unit in taken for row_id in unit.row_ids})
        keys = {unit.key for unit in taken}
        left = [unit for unit in left if unit.key not in keys]
    return sides


def _units(rows: Iterable[SplitRow], seed: int) -> list[_Unit]:
    """Clusters in an order that only their content and the seed decide."""
    clusters: defaultdict[str, list[SplitRow]] = defaultdict(list)
    for row in rows:
        clusters[row.cluster].append(row)
    units = []
    for members in clusters.values():
        ids = tuple(sorted(row.row_id for row in members))
        strata = Counter(row.stratum for row in members)
        stratum = min(strata, key=lambda name: (-strata[name], name))
        key = hashlib.sha256(f"{seed}:{ids[0]}".encode()).hexdigest()
        units.append(_Unit(key, stratum, ids))
    return sorted(units, key=lambda unit: unit.key)


def _take(units: Sequence[_Unit], rows_wanted: int, exact: float) -> list[_Unit]:
    """Units of about `rows_wanted` rows, each stratum in proportion; what does not fit is made up from any stratum."""
    available = sum(len(unit.row_ids) for unit in units)
    if not rows_wanted or not available:
        return []
    quotas = _quotas(units, rows_wanted, min(1.0, exact / available))
    taken, filled = [], Counter[str]()
    for unit in units:
        if filled[unit.stratum] + len(unit.row_ids) <= quotas[unit.stratum]:
            taken.append(unit)
            filled[unit.stratum] += len(unit.row_ids)
    missing = rows_wanted - sum(filled.values())
    keys = {unit.key for unit in taken}
    for unit in units:
        if unit.key not in keys and len(unit.row_ids) <= missing:
            taken.append(unit)
            missing -= len(unit.row_ids)
    return taken


def _quotas(units: Sequence[_Unit], rows_wanted: int, share: float) -> Mapping[str, int]:
    """Rows a stratum gives: its share rounded down, then the largest remainders until the sum is right."""
    sizes: Counter[str] = Counter()
    for unit in units:
        sizes[unit.stratum] += len(unit.row_ids)
    quotas = {stratum: int(share * size) for stratum, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda stratum: (-(share * sizes[stratum] - quotas[stratum]), stratum))
    for stratum in by_remainder[: max(0, rows_wanted - sum(quotas.values()))]:
        quotas[stratum] += 1
    return quotas
