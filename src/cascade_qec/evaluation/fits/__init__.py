"""From failure counts to laws: waterfall fits, suppression by distance, thresholds, resources."""

from cascade_qec.evaluation.fits.analysis import Analysis, CurveFit, analyse, fit_curve
from cascade_qec.evaluation.fits.likelihood import Outcomes
from cascade_qec.evaluation.fits.points import Curve, Point, curves
from cascade_qec.evaluation.fits.reading import read_points
from cascade_qec.evaluation.fits.resources import Resource, code_resources, series_resource
from cascade_qec.evaluation.fits.series import Series, distance_series
from cascade_qec.evaluation.fits.suppression import Suppression, suppression
from cascade_qec.evaluation.fits.table import fit_rows
from cascade_qec.evaluation.fits.thresholds import Threshold, threshold
from cascade_qec.evaluation.fits.warranted import TwoTermsTest, compare_terms, goodness_of_fit
from cascade_qec.evaluation.fits.waterfall import WaterfallFit, fit

__all__ = [
    "Analysis",
    "Curve",
    "CurveFit",
    "Outcomes",
    "Point",
    "Resource",
    "Series",
    "Suppression",
    "Threshold",
    "TwoTermsTest",
    "WaterfallFit",
    "analyse",
    "code_resources",
    "compare_terms",
    "curves",
    "distance_series",
    "fit",
    "fit_curve",
    "fit_rows",
    "goodness_of_fit",
    "read_points",
    "series_resource",
    "suppression",
    "threshold",
]
