"""Rows that occur several times are found once."""

import numpy as np
import pytest

from cascade_qec.decoders.distinct_rows import distinct_rows


@pytest.mark.parametrize(("rows", "width"), [(0, 3), (1, 1), (500, 1), (500, 7), (500, 8), (300, 130)])
def test_all_rows_come_back_from_the_distinct_ones(rows, width):
    bits = np.random.default_rng(1).random((rows, width)) < 0.2
    first, which = distinct_rows(bits)
    np.testing.assert_array_equal(bits[first][which], bits)
    assert len(first) == len({row.tobytes() for row in bits})
