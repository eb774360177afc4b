"""Under which licence is the model, and does it allow this use?"""

from __future__ import annotations

from truetune.core.config import BaseConfig
from truetune.core.ports import LocalModel
from truetune.core.records import Finding, Licence
from truetune.licences.expression import UNKNOWN, parse
from truetune.licences.terms import AS_OF, CONDITIONS


def read_licence(config: BaseConfig, local: LocalModel) -> Licence:
    """The licence as an SPDX expression with its terms; what the config states counts before what the source states."""
    raw, source = (config.licence, "truetune.yaml, base.licence") if config.licence else (local.licence, local.licence_source)
    spdx, terms = parse(raw) if raw else (None, UNKNOWN)
    return Licence(spdx=spdx, raw=raw, source=source, commercial_use=terms.commercial_use, redistribution=terms.redistribution)


def check_licence(licence: Licence, config: BaseConfig) -> list[Finding]:
    """Blocking where the licence forbids the use that the config states; a warning where its terms are not known."""
    if config.commercial and licence.commercial_use is False:
        return [_forbidden(licence, config)]
    if licence.spdx is None or licence.commercial_use is None:
        return [_unknown(licence)]
    return _conditions(licence)


def _forbidden(licence: Licence, config: BaseConfig) -> Finding:
    return Finding(
        code="base.licence.forbids_use",
        severity="block",
        message=f"the licence {licence.spdx} does not allow commercial use, and the config says `commercial: true`",
        evidence={"licence": licence.spdx, "source": licence.source, "intended_use": config.intended_use, "table_as_of": AS_OF},
        fix="use a base model whose licence allows it, or get a licence from its owner and name it as `base.licence`",
    )


def _unknown(licence: Licence) -> Finding:
    if licence.raw is None:
        message = "no licence is stated: nothing says that the model may be used at all"
    elif licence.spdx is None:
        message = f"the licence is stated as {licence.raw!r}, which is not an SPDX licence"
    else:
        message = f"what the licence {licence.spdx} allows is not known to truetune"
    return Finding(
        code="base.licence.unknown",
        severity="warn",
        message=message,
        evidence={"raw": licence.raw, "source": licence.source, "table_as_of": AS_OF},
        fix="read the model's licence; state it in truetune.yaml, e.g. base: {model: …, licence: Apache-2.0}",
    )


def _conditions(licence: Licence) -> list[Finding]:
    named = licence.spdx or ""
    said = list(dict.fromkeys(text for start, text in CONDITIONS.items() if start in named))
    return [
        Finding(
            code="base.licence.conditions",
            severity="note",
            message=text,
            evidence={"licence": named},
            fix="read the licence before you pass the tuned model on",
        )
        for text in said
    ]
