"""The same question, answered differently: decided on the answers."""

from truetune.stages.data.checks.contradictions.check import CHECK, CODE

__all__ = ["CHECK", "CODE"]
