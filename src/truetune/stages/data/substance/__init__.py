"""What an answer says, apart from how it says it: two answers to one question, compared in substance and not in wording.

English words are known (negations, opposites, number words, units, months); numbers, dates in figures, codes and links are read
in any language. No model and no embedding takes part: those place "always" beside "never".
"""

from truetune.stages.data.substance.alignment import ALIKE_RATIO
from truetune.stages.data.substance.comparison import Difference, are_of_the_same_words, differences, says_the_same
from truetune.stages.data.substance.opposition import SHARED_FRAC
from truetune.stages.data.substance.values import HEDGED_FRAC

__all__ = ["ALIKE_RATIO", "HEDGED_FRAC", "SHARED_FRAC", "Difference", "are_of_the_same_words", "differences", "says_the_same"]
