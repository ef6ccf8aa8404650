"""Measurements, kept apart from the tests: machines are shared and noisy."""
