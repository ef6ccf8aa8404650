"""SymPy expressions: read, told apart, inverted, and evaluated a few times."""
