"""Failure rates far below what can be sampled directly, from shots with a given number of faults."""
