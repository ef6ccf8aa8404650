"""Functions that generated text calls, as scalar code."""
