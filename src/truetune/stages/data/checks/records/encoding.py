"""Files whose bytes are not UTF-8: decoded, named, reported."""

from __future__ import annotations

from collections.abc import Iterable

from truetune.core.records import Finding, RowRef
from truetune.core.units import plural
from truetune.stages.data.checks.base import NO_ROWS, Check
from truetune.stages.data.corpus import Corpus

CODE = "data.encoding"
_FIX = "convert the file to UTF-8 (iconv) and look at the lines named, then check again"


def _find(corpus: Corpus) -> Iterable[Finding]:
    for file in corpus.encodings:
        if file.encoding in ("utf-8", "parquet"):
            continue
        lines = file.latin1_lines
        if lines:
            said = f"not UTF-8, read as Windows-1252 / latin-1: {plural(len(lines), 'line')}"
        else:
            said = f"the file is {file.encoding.upper()}, not UTF-8; it was decoded by its byte order mark"
        yield Finding(
            code=CODE,
            severity="warn",
            message=said,
            rows=tuple(RowRef(file=file.path, line=line) for line in lines or (1,)),
            evidence={"encoding": file.encoding, "lines": len(lines)},
            fix=f"iconv -f {'WINDOWS-1252' if lines else file.encoding.upper()} -t UTF-8 {file.path} > utf8.jsonl",
        )


CHECK = Check(
    code=CODE,
    severity="warn",
    claim="Every file is UTF-8; one that is not is decoded, and said.",
    fix=_FIX,
    find=_find,
    ways=NO_ROWS,
)
