"""From failure counts to laws: waterfall fits, suppression by distance, thresholds, resources."""
