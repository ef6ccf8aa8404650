"""The algorithms of kernels, as Python functions that :mod:`riemopt.kernels.text.specialize` turns into their text.

They are called in plain Python as they stand, but for one difference: there a division by zero raises, as functions of
:mod:`math` do where a result is too large. In compiled text, and with numbers of NumPy, both give an infinity.
"""
