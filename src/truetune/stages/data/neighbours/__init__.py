"""The similarity engine: texts in, verified near copies out."""

from truetune.stages.data.neighbours.index import THRESHOLD, Pairs, SimilarityIndex

__all__ = ["THRESHOLD", "Pairs", "SimilarityIndex"]
