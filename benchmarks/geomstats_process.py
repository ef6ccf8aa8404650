"""Geodesics of the Gamma model by geomstats, for lines of points and vectors on standard input.

Run as a script by an interpreter that has geomstats: ``python geomstats_process.py RTOL ATOL``. The first line of its
output is the version. Each line of input, ``[points, vectors]`` in JSON, is answered by a line with the ends.
"""

import importlib.metadata
import json
import sys

import numpy as np
from geomstats.information_geometry.gamma import GammaDistributions, NaturalToStandardDiffeo
from geomstats.numerics.geodesic import ExpODESolver
from geomstats.numerics.ivp import ScipySolveIVP


def main() -> None:
    rtol, atol = map(float, sys.argv[1:])
    space = GammaDistributions()
    # of SciPy's methods the fastest at these tolerances
    space.metric.exp_solver = ExpODESolver(space, integrator=ScipySolveIVP(method="DOP853", rtol=rtol, atol=atol))
    standard = NaturalToStandardDiffeo()  # from shape and rate to shape and mean, and back
    print(importlib.metadata.version("geomstats"), flush=True)
    for line in sys.stdin:
        points, vectors = map(np.array, json.loads(line))
        ends = space.metric.exp(standard.tangent(vectors, base_point=points), standard(points))
        print(json.dumps(standard(ends).tolist()), flush=True)


if __name__ == "__main__":
    main()
