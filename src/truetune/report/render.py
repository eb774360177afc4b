"""From a bundle to one HTML file that needs nothing else: no network, no fonts, no script to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from truetune.core.ports import NameFinder
from truetune.report.bundle import ReportBundle
from truetune.report.shown import Limits
from truetune.report.view import ReportView, report_view

MOST_BYTES = 5_000_000
"""Mail and chat take a file of 5 MB; a browser opens it at once."""

_HALVINGS = 8
_CODE = re.compile(r"`([^`\n]+)`|(?<![\w./-])([a-z0-9]+(?:_[a-z0-9]+)+)(?!\w|[/-]|\.\w)")


def render(bundle: ReportBundle, names: NameFinder | None = None) -> str:
    """The report as HTML, under 5 MB: where a run has more to show than that, lists and texts are cut and say so.

    `names` finds the names of people that are hidden too; None leaves them.
    """
    limits = Limits()
    page = _page(report_view(bundle, limits, names))
    for _ in range(_HALVINGS):
        if len(page.encode("utf-8")) < MOST_BYTES:
            break
        limits = limits.halved()
        page = _page(report_view(bundle, limits, names))
    return page


def page_environment() -> Environment:
    """Templates that escape all they are given and refuse what they do not know."""
    environment = Environment(
        loader=PackageLoader("truetune.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = inline_code
    return environment


def _page(view: ReportView) -> str:
    script = own("report.js")
    template = page_environment().get_template("report.html.j2")
    return template.render(r=view, style=Markup(own("report.css")), script=Markup(script), script_digest=script_digest(script))


def script_digest(script: str) -> str:
    """What a page's content security policy names the script by."""
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def own(name: str) -> str:
    """A style sheet or script of ours, as text."""
    return resources.files("truetune.report").joinpath("templates", name).read_text(encoding="utf-8")


def inline_code(text: str) -> Markup:
    """Text with its back-ticked parts and its snake_case names (those of a contract) as code; all else is escaped."""
    parts, at = [], 0
    for match in _CODE.finditer(text):
        parts += [escape(text[at : match.start()]), Markup("<code>{}</code>").format(match[1] or match[2])]
        at = match.end()
    return Markup("").join([*parts, escape(text[at:])])
