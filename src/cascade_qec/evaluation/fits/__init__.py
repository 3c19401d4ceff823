"""From failure counts to laws: waterfall fits, suppression by distance, thresholds, resources."""

from cascade_qec.evaluation.fits.analysis import Analysis, CurveFit, analyse, fit_curve
from cascade_qec.evaluation.fits.likelihood import Counts, likelihood_interval
from cascade_qec.evaluation.fits.points import Curve, Point, curves
from cascade_qec.evaluation.fits.reading import read_points
from cascade_qec.evaluation.fits.resources import Resource, bicycle_resources, surface_resource
from cascade_qec.evaluation.fits.series import Series, surface_series
from cascade_qec.evaluation.fits.suppression import Suppression, suppression
from cascade_qec.evaluation.fits.table import FitRow, fit_rows, write_fits
from cascade_qec.evaluation.fits.thresholds import Threshold, threshold
from cascade_qec.evaluation.fits.warranted import TwoTermsTest, compare_terms, goodness_of_fit
from cascade_qec.evaluation.fits.waterfall import Estimate, WaterfallFit, fit

__all__ = [
    "Analysis",
    "Counts",
    "Curve",
    "CurveFit",
    "Estimate",
    "FitRow",
    "Point",
    "Resource",
    "Series",
    "Suppression",
    "Threshold",
    "TwoTermsTest",
    "WaterfallFit",
    "analyse",
    "bicycle_resources",
    "compare_terms",
    "curves",
    "fit",
    "fit_curve",
    "fit_rows",
    "goodness_of_fit",
    "likelihood_interval",
    "read_points",
    "suppression",
    "surface_resource",
    "surface_series",
    "threshold",
    "write_fits",
]
