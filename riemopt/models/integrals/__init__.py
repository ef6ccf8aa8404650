"""Expectations as the sums and integrals that SymPy can do: a folder that also runs as a program of its own.

:mod:`riemopt.models.exact` runs :mod:`.program` by its path, in a process that it can stop: so the files here import
SymPy and one another, by relative imports, and nothing else of riemopt.

An observation is first replaced by one whose density has as few parameters as possible (:mod:`.substitution`). What is
integrated then is a sum of products of powers, of logarithms and of one exponential, and one integral with free
exponents gives all of its terms (:mod:`.mellin`). Sums come from a generating function (:mod:`.ranges`).

Conditions of convergence are not looked at, and SymPy's integrals are sometimes wrong: results must be compared with
numbers before they are used.
"""
