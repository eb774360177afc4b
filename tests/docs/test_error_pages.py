"""Every error and finding code has a page; every page is of a code that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truetune.stages.data.checks.registry import described

REPOSITORY = Path(__file__).parent.parent.parent
SOURCE = REPOSITORY / "src" / "truetune"
PAGES = REPOSITORY / "docs" / "errors"
CATEGORIES = "usage|config|contract|data|environment|evidence|upstream|doctor|base|plan|train|eval|internal"
CODE = re.compile(rf'"((?:{CATEGORIES})(?:\.[a-z0-9_]+)+)"')
NOT_CODES = re.compile(r"\.(json|jsonl|yaml|parquet|py|md|html|lock|txt)$")


def codes_in_source() -> set[str]:
    found = set()
    for path in SOURCE.rglob("*.py"):
        found |= {code for code in CODE.findall(path.read_text(encoding="utf-8")) if not NOT_CODES.search(code)}
    return found


def test_source_has_codes() -> None:
    assert len(codes_in_source()) > 30


@pytest.mark.parametrize("code", sorted(codes_in_source()))
def test_code_has_a_page(code: str) -> None:
    page = PAGES / f"{code}.md"
    assert page.exists(), f"write docs/errors/{code}.md"
    assert page.read_text(encoding="utf-8").startswith(f"# {code}")


def test_no_page_is_orphaned() -> None:
    stems = {page.name.removesuffix(".md") for page in PAGES.glob("*.md")} - {"README"}
    families = ("data.pii.",)
    orphans = {s for s in stems - codes_in_source() if not s.startswith(families)}
    assert not orphans


@pytest.mark.parametrize("code", [code for code, check in described().items() if check.thresholds])
def test_page_states_every_threshold_and_its_source(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert "**Thresholds" in page, "write what it decides by, and where the numbers are from"
    about = page[page.index("**Thresholds") :]
    for threshold in described()[code].thresholds:
        assert set(written(threshold.value)) & set(re.findall(r"\d[\d,.]*\d|\d", page)), f"{threshold.name}: {threshold.value:g}"
    assert re.search(
        r"\b(source|stated|ours|measured|log|et al|Tukey)\b|\d{4}\.\d{5}|\.md\)|guide|rule of three", about, re.IGNORECASE
    )


def written(value: float) -> list[str]:
    """A number as a page may have it: as it is, with commas, in percent, in MiB."""
    whole = [f"{value:,.0f}", f"{value / (1 << 20):g}"] if value == int(value) else []
    return [f"{value:g}", f"{value:.1f}", f"{100 * value:g}", *whole]
