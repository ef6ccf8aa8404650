"""The shape of a model: SymPy expressions in, SymPy expressions out."""
