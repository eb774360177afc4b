"""Records that cannot be parsed, with line and column."""

from __future__ import annotations

from truetune.stages.data.checks.base import NEVER_A_ROW, Check, Threshold, fault_findings
from truetune.stages.data.corpus import Fault
from truetune.stages.data.reading.files import MAX_LINE_BYTES
from truetune.stages.data.reading.readers import Entry

CODE = "data.record.malformed"
_FIX = "correct the line, or delete it"


def malformed_fault(file: str, entry: Entry) -> Fault | None:
    """The fault of an entry that could not be parsed."""
    if entry.fault is None:
        return None
    return Fault(CODE, file, entry.line, entry.fault.message, entry.fault.text, entry.fault.column)


CHECK = Check(
    code=CODE,
    severity="block",
    claim="Every record can be parsed: sound JSON or CSV, no repeated key, no NaN, no half characters.",
    fix=_FIX,
    find=fault_findings(CODE, _FIX),
    ways=NEVER_A_ROW,
    thresholds=(Threshold("longest line in bytes", MAX_LINE_BYTES, "stated: beyond any context window, keeps memory bounded"),),
)
