"""Personal data and secrets as the checks of this stage use them; their one home is `truetune.core.sensitive`."""

from __future__ import annotations

from truetune.core.sensitive.masking import excerpt, mask, masked
from truetune.core.sensitive.personal import PII_ENTITIES, find_pii
from truetune.core.sensitive.secrets import MIN_SECRET_ENTROPY_BITS, find_secrets
from truetune.core.sensitive.spans import Span

__all__ = ["MIN_SECRET_ENTROPY_BITS", "PII_ENTITIES", "Span", "excerpt", "find_pii", "find_secrets", "mask", "masked"]
