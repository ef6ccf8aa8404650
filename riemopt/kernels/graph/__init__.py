"""Expressions as a graph: lowered, differentiated, simplified, traced."""
