"""Functions that every text may call: plain Python, read from its source as :mod:`riemopt.kernels.functions` is."""
