"""The `phonenumbers` library on a file of texts, in two ways; run by a Python that has it installed.

    VENV/bin/python phonenumbers_rival.py matcher|stage texts.json      # prints {"cpu_s": ..., "found": [...]}

`matcher` is the library's own search, for each of thirty countries. `stage` asks the library of each run of 7 to 15 digits
whether it is a valid number of any of them.
"""

import json
import re
import sys
import time
from pathlib import Path

import phonenumbers

REGIONS = tuple(re.findall("..", "USGBDEFRESITNLBECHATPLSENODKFIIEPTCZGRTRINCNJPKRAUNZZABRMXSG"))
RUN = re.compile(r"(?<![\w.+])\(?\+?\(?\d(?:[ ()./-]{0,3}\d){6,14}(?![\w])")


def matcher(text: str) -> list[tuple[str, int, int]]:
    """All that the library finds for any country."""
    spans = {(m.start, m.end) for region in REGIONS for m in phonenumbers.PhoneNumberMatcher(text, region)}
    return [("phone", *span) for span in sorted(spans)]


def stage(text: str) -> list[tuple[str, int, int]]:
    """The runs of digits that are a valid number of any country."""
    return [("phone", *m.span()) for m in RUN.finditer(text) if _valid(m.group())]


def _valid(written: str) -> bool:
    for region in REGIONS if not written.lstrip("(").startswith("+") else ["US"]:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def main() -> None:
    """Search and print."""
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    search = {"matcher": matcher, "stage": stage}[sys.argv[1]]
    search("warm up +44 20 7946 0000")
    start = time.process_time()
    found = [search(text) for text in texts]
    print(json.dumps({"cpu_s": time.process_time() - start, "entities": ["phone"], "found": found}))


if __name__ == "__main__":
    main()
