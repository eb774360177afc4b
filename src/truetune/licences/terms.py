"""What the licences of models and data allow, as a dated table. Conditions (attribution, acceptable use) still apply.

Source: general knowledge of these licences, written down 2026-11; their texts were not read again for this table, and it is no
legal advice. Where it is wrong for a model, `base.licence` in truetune.yaml counts instead. The ids are SPDX ids; the names
in `_OWN_NAMES` are those that the hub writes after `license:` (huggingface.co/docs/hub/repositories-licenses has most of them).
A licence that is not here is not guessed: its terms are unknown.
"""

from __future__ import annotations

from typing import NamedTuple

AS_OF = "2026-11"


class Terms(NamedTuple):
    """May it be used commercially, may a tuned copy be passed on; None is not known."""

    commercial_use: bool | None
    redistribution: bool | None


_OPEN = Terms(commercial_use=True, redistribution=True)
_NON_COMMERCIAL = Terms(commercial_use=False, redistribution=True)
_NO_DERIVATIVES = Terms(commercial_use=True, redistribution=False)
_NEITHER = Terms(commercial_use=False, redistribution=False)

TERMS: dict[str, Terms] = {
    **dict.fromkeys(
        (
            "Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0", "0BSD", "BSL-1.0",
            "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-2.0", "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
            "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Sharing-1.0", "CDLA-Permissive-1.0", "C-UDA-1.0", "MPL-2.0",
            "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
            "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later",
            "CDLA-Permissive-2.0",
            "LicenseRef-llama2", "LicenseRef-llama3", "LicenseRef-llama3.1", "LicenseRef-llama3.2", "LicenseRef-llama3.3",
            "LicenseRef-llama4", "LicenseRef-gemma", "LicenseRef-openrail", "LicenseRef-openrail-plus-plus",
            "LicenseRef-bigscience-openrail-m", "LicenseRef-bigcode-openrail-m", "LicenseRef-creativeml-openrail-m",
            "LicenseRef-bigscience-bloom-rail-1.0",
        ),
        _OPEN,
    ),
    **dict.fromkeys((
            "PolyForm-Noncommercial-1.0.0", "CC-BY-NC-2.0", "CC-BY-NC-2.5", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
            "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-2.5", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0",
        ), _NON_COMMERCIAL),
    **dict.fromkeys(("CC-BY-ND-2.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0"), _NO_DERIVATIVES),
    **dict.fromkeys(("CC-BY-NC-ND-2.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"), _NEITHER),
}  # fmt: skip

CONDITIONS: dict[str, str] = {
    "LicenseRef-llama": "the Llama licence asks for attribution, an acceptable-use policy, and a separate licence above"
    " 700 million monthly users",
    "LicenseRef-gemma": "the Gemma terms carry a list of prohibited uses that must be passed on",
    "LicenseRef-openrail": "an OpenRAIL licence carries use restrictions that must be passed on",
    "LicenseRef-big": "a RAIL licence carries use restrictions that must be passed on",
    "LicenseRef-creativeml": "an OpenRAIL licence carries use restrictions that must be passed on",
}
"""By the start of the id: open enough for business, but not open source; said as a known risk."""

_OWN_NAMES = (
    "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma", "openrail", "bigscience-openrail-m",
    "bigcode-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0",
)  # fmt: skip

ALIASES: dict[str, str] = {
    **{name: f"LicenseRef-{name}" for name in _OWN_NAMES},
    "openrail++": "LicenseRef-openrail-plus-plus",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "mit license": "MIT",
    "bsd": "BSD-3-Clause",
    "gpl-3.0": "GPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
    "cc-by-4": "CC-BY-4.0",
    "cc0": "CC0-1.0",
    "public domain": "CC0-1.0",
    "cc-by-sa-4": "CC-BY-SA-4.0",
    "cc-by-nc-4": "CC-BY-NC-4.0",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
}
"""What model and data cards write instead of an SPDX id."""
