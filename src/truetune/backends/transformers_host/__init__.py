"""Candidates in transformers: generation, log-likelihoods, merging and drift, with shared prefixes computed once."""

from truetune.backends.transformers_host.host import TransformersHost

__all__ = ["TransformersHost"]
