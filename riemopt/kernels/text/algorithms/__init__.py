"""The algorithms of kernels, as Python functions that :mod:`riemopt.kernels.text.specialize` turns into their text."""
