"""Smallest sets of faults that fail, within larger ones."""

import numpy as np

from workshop.studies import cores


def test_subsets_of_failing_sets_are_counted(monkeypatch):
    """Sets fail that have the faults 1, 2 and 3, or 7, 8, 9 and 10."""
    sets = np.array([[0, 1, 2, 3, 4, 5], [4, 5, 7, 8, 9, 10], [1, 2, 4, 5, 7, 8]])

    def failing(_, sets):
        return np.array([{1, 2, 3} <= set(one) or {7, 8, 9, 10} <= set(one) for one in sets.tolist()], dtype=np.bool_)

    monkeypatch.setattr(cores, "sets_of_faults", lambda *_: [sets])
    monkeypatch.setattr(cores, "failing", failing)
    # three fours have the three within them
    assert cores.cores(None, 6, 3) == {2: (0, 0), 3: (1, 1), 4: (3 + 1, 1)}
