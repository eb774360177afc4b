"""The sample run, written once for all tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample

from truetune.evidence.run_folder import RunFolder
from truetune.report.bundle import ReportBundle
from truetune.report.load import load_bundle
from truetune.report.render import render


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return sample.write_run(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def bundle(finished: RunFolder) -> ReportBundle:
    return load_bundle(finished)


@pytest.fixture(scope="session")
def page(bundle: ReportBundle) -> str:
    return render(bundle)


@pytest.fixture
def fresh(tmp_path: Path) -> RunFolder:
    """A run that a test may damage."""
    return sample.write_run(tmp_path)
