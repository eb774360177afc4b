"""What cleanlab says of a file's labels, run by a Python that has cleanlab and scikit-learn: `confident_learning.py ROWS`.

Imports nothing of truetune. cleanlab judges the chances that a classifier of the user's gives to rows that it was not fitted on;
the one here, the best of those tried on another seed, is a logistic regression on words, pairs of words and runs of two to four
letters, in five stratified folds. Prints one line of JSON: for each filter the lines that it names, the lines in the order of the
label quality score, and CPU seconds.
"""

import json
import sys
import time
from pathlib import Path

FILTERS = ("prune_by_noise_rate", "low_self_confidence")
"""The default, and the one that named most random errors at fewest clean rows on the seed that the classifier was chosen on."""
FOLDS, INVERSE_PENALTY = 5, 100.0


def rows_of(path: Path) -> tuple[list[str], list[str]]:
    """Each row's question and its label."""
    turns = [json.loads(line)["messages"] for line in path.read_text(encoding="utf-8").splitlines()]
    return [next(turn["content"] for turn in row if turn["role"] == "user") for row in turns], [
        row[-1]["content"] for row in turns
    ]


def main() -> None:
    """Fit out of fold, filter, rank, and report."""
    import numpy as np  # noqa: PLC0415 - its own environment
    from cleanlab.filter import find_label_issues  # noqa: PLC0415
    from cleanlab.rank import get_label_quality_scores  # noqa: PLC0415
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline, make_union  # noqa: PLC0415

    texts, answers = rows_of(Path(sys.argv[1]))
    start = time.process_time()
    labels = np.unique(answers, return_inverse=True)[1]
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(C=INVERSE_PENALTY, max_iter=200))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    chances = cross_val_predict(model, texts, labels, cv=folds, method="predict_proba")
    named = {
        name: (np.flatnonzero(find_label_issues(labels, chances, filter_by=name, n_jobs=1)) + 1).tolist() for name in FILTERS
    }
    ranked = (np.argsort(get_label_quality_scores(labels, chances), kind="stable") + 1).tolist()
    print(json.dumps({"named": named, "ranked": ranked, "cpu_s": time.process_time() - start}))


if __name__ == "__main__":
    main()
