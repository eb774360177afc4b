"""presidio-analyzer with its pattern recognizers alone, on a file of texts; run by a Python that has presidio installed.

    VENV/bin/python presidio_rival.py texts.json      # prints {"cpu_s": ..., "found": [[[kind, start, end], ...], ...]}

The names of entities are translated to ours; a blank language model gives tokens, so that no time goes into names of people.
"""

import json
import sys
import time
from pathlib import Path

import spacy
import tldextract

# The e-mail recognizer asks the network for the list of top-level domains once: the copy in the package does.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), fallback_to_snapshot=True)

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: E402
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # noqa: E402

NAMES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "credit_card",
    "US_SSN": "ssn",
    "IP_ADDRESS": "ip_address",
    "US_ITIN": "itin",
    "UK_NINO": "uk_nino",
    "DE_TAX_ID": "de_tax_id",
    "MAC_ADDRESS": "mac_address",
    "CRYPTO": "crypto_address",
}
THRESHOLD = 0.4
"""Above the score of a weak pattern without any context."""


class _Tokens(SpacyNlpEngine):
    """A blank model: tokens only."""

    def __init__(self) -> None:
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}


def main() -> None:
    """Analyse and print."""
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers()
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=_Tokens(), supported_languages=["en"])
    known = set(analyzer.get_supported_entities("en"))
    entities = [name for name in NAMES if name in known]
    analyzer.analyze("warm up a@example.com", language="en", entities=entities)
    start = time.process_time()
    found = [analyzer.analyze(text, language="en", entities=entities, score_threshold=THRESHOLD) for text in texts]
    cpu_s = time.process_time() - start
    spans = [[[NAMES[r.entity_type], r.start, r.end] for r in results] for results in found]
    print(json.dumps({"cpu_s": cpu_s, "entities": sorted(NAMES[name] for name in entities), "found": spans}))


if __name__ == "__main__":
    main()
