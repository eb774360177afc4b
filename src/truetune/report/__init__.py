"""The single-file report: `load_bundle` reads a run, `render` makes the page."""

from truetune.report.bundle import ReportBundle
from truetune.report.load import load_bundle
from truetune.report.render import render

__all__ = ["ReportBundle", "load_bundle", "render"]
