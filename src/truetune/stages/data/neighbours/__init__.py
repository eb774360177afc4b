"""The similarity engine: texts in, verified near copies out."""

from truetune.stages.data.neighbours.index import THRESHOLD, Pairs, SimilarityIndex
from truetune.stages.data.neighbours.meetings import BUCKET_NEIGHBOURS

__all__ = ["BUCKET_NEIGHBOURS", "THRESHOLD", "Pairs", "SimilarityIndex"]
