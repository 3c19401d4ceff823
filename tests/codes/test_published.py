"""Published codes over groups have the published parameters."""

import pytest

from cascade_qec import codes

# n and k, computed from the ranks of the checks.
SIZES = {
    "bb54": (54, 8),
    "bb98": (98, 6),
    "bb126": (126, 8),
    "bb150": (150, 16),
    "bb162": (162, 8),
    "bb180": (180, 8),
    "bb360": (360, 12),
    "bb756": (756, 16),
    "toric_3x3": (18, 2),
    "toric_4x7": (56, 2),
    "gb46": (46, 2),
    "gb48": (48, 6),
    "gb70": (70, 8),
    "gb126": (126, 28),
    "gb180": (180, 10),
    "gb254": (254, 28),
    "mb30": (30, 4),
    "mb48": (48, 4),
    "mb96": (96, 4),
    "haah_3": (54, 2),
    "haah_4": (128, 14),
    "haah_5": (250, 2),
    "haah_6": (432, 6),
    "tt72": (72, 6),
    "tt432": (432, 12),
    "lp175": (175, 19),
    "lp544": (544, 80),
    "lp714": (714, 100),
    "lp882": (882, 24),
    "lp1020": (1020, 136),
    "lp1054": (1054, 140),
}
# Distances, or upper bounds on them, that the search for logicals finds in a second.
DISTANCES = {
    "bb54": 6,
    "bb98": 12,
    "bb126": 10,
    "bb150": 8,
    "bb162": 14,
    "bb180": 16,
    "toric_3x3": 3,
    "toric_4x7": 4,
    "toric_9x9": 9,
    "gb46": 9,
    "gb48": 8,
    "gb70": 10,
    "gb126": 8,
    "gb180": 18,
    "mb30": 5,
    "mb48": 6,
    "mb96": 8,
    "lp175": 10,
    "haah_3": 9,
    "haah_4": 8,
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name):
    code = codes.get(name)
    assert (code.n, code.k) == SIZES[name]


@pytest.mark.parametrize("name", DISTANCES)
def test_distances(name):
    code = codes.get(name)
    assert code.logicals("X")[0].sum() == DISTANCES[name]
    assert code.d in (DISTANCES[name], None)


def test_the_bases_of_a_tricycle_code_have_distances_of_their_own():
    code = codes.get("tt72")
    assert code.d == 6
    assert (code.logicals("Z")[0].sum(), code.logicals("X")[0].sum()) == (6, 12)
