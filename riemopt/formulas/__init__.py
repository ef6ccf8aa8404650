"""The primitives as formulas, from which every kernel of a model is built."""
