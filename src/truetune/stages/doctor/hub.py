"""May models be downloaded from the hub?"""

from __future__ import annotations

from truetune.core.records import Environment, Finding


def check_hub(environment: Environment) -> list[Finding]:
    """A note where the hub is switched off: a model that is not on this machine yet cannot be fetched."""
    if not environment.hub_offline:
        return []
    return [
        Finding(
            code="doctor.hub.offline",
            severity="note",
            message="the model hub is switched off here: only models that are on this machine can be used",
            evidence={"variables": ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]},
            fix="unset HF_HUB_OFFLINE TRANSFORMERS_OFFLINE   # to allow downloads",
        )
    ]
