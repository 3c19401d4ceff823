import matplotlib
import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.plotting.panels import log_axis, make_panels, number
from cascade_qec.plotting.style import label_of, looks, styled


@pytest.mark.parametrize(
    ("decoder", "code", "label"),
    [
        ("cascade:bb72", "bb72", "cascade"),
        ("cascade:bb72_large", "bb72", "cascade large"),
        ("cascade:surface_d*", "surface_d*", "cascade"),
        ("cascade:surface_d13", "surface_d1", "cascade:surface_d13"),
        ("cascade", "bb72", "cascade"),
        ("bposd-filtered", "bb72", "bposd-filtered"),
    ],
)
def test_labels(decoder, code, label):
    assert label_of(decoder, code) == label


def test_looks_differ_in_black_and_white_too():
    labels = ["cascade", "pymatching", "pymatching-correlated", "bposd", "bplsd", "relay", "tesseract", "chromobius"]
    found = looks([*labels, "tesseract-long-beam", "somebody's", "cascade large", "cascade (cpu)"])
    assert len({look.marker for look in found.values()}) == len(found)
    assert len({str(look.linestyle) for look in found.values()}) == len(found)
    assert len({look.color for look in found.values()}) == len(found)


def test_a_look_does_not_depend_on_company():
    alone, together = looks(["relay"]), looks(["bposd", "relay", "relay-filtered", "stranger"])
    assert alone["relay"] == together["relay"]
    filtered = together["relay-filtered"]
    assert (filtered.color, filtered.marker, filtered.fill) == (alone["relay"].color, alone["relay"].marker, "none")


def test_too_many_curves_are_refused():
    with pytest.raises(CascadeError, match="and 7: leave some out"):
        looks([f"cascade (model {i})" for i in range(7)])


def test_settings_of_the_user_do_not_matter():
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        with styled():
            assert matplotlib.rcParams["font.size"] == 9
            assert matplotlib.rcParams["axes.facecolor"] == "white"
        assert matplotlib.rcParams["font.size"] == 30


@pytest.mark.parametrize(
    ("value", "text"), [(0.005, "0.005"), (20, "20"), (1e-5, "$10^{-5}$"), (2e-5, r"$2\times10^{-5}$"), (0, "0")]
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.001, 0.02, ["0.001", "0.002", "0.005", "0.01", "0.02"]),
        (4e-4, 0.004, [r"$5\times10^{-4}$", "$10^{-3}$", r"$2\times10^{-3}$"]),
        (1e-5, 0.2, ["$10^{-5}$", "$10^{-4}$", "$10^{-3}$", "$10^{-2}$", "$10^{-1}$"]),
    ],
)
def test_an_axis_has_plain_numbers_or_powers_of_ten(low, high, labels):
    with styled():
        figure, (axes,) = make_panels(1, y_label="rate")
        axes.plot([1, 2], [low, high])
        log_axis(axes.yaxis, [low, high])
        axes.set_ylim(0.99 * low, 1.01 * high)
        figure.draw_without_rendering()
        bottom, top = axes.get_ylim()
        shown = [tick.label1.get_text() for tick in axes.yaxis.get_major_ticks() if bottom <= tick.get_loc() <= top]
    assert shown == labels
