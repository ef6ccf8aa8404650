"""Graphs as the text of functions: statements, loops, stepper, reductions, roots."""
