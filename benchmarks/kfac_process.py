"""A Fisher product by riemopt in JAX and by kfac_jax, in turns, on the network of :mod:`benchmarks.networks`.

Run by an interpreter that has kfac_jax, which may want another release of JAX: ``python -m benchmarks.kfac_process``,
with ``--quick`` for small sizes. Prints the seconds of each, and the version, as JSON.
"""

import importlib.metadata
import json
import sys

import jax
import jax.numpy as jnp
import kfac_jax

from benchmarks.measure import side_by_side
from benchmarks.networks import CASES, LAYERS, QUICK, in_jax


def main() -> None:
    quick = "--quick" in sys.argv
    net = in_jax(QUICK, 20) if quick else in_jax(LAYERS, CASES)
    theta, v = net.start, net.gradient(net.start)

    def registered(parameters: object, images: jax.Array) -> jax.Array:
        logits = net._apply(parameters, images)
        kfac_jax.register_multi_bernoulli_predictive_distribution(logits, images)
        return jnp.zeros(())

    curvature = kfac_jax.ImplicitExactCurvature(registered, batch_size_extractor=lambda images: images.shape[0])
    theirs = jax.jit(lambda parameters, images, v: curvature.multiply_fisher((parameters, images), v))
    parameters, direction = net.unflatten(theta), net.unflatten(v)
    metric = net.at(theta).metric
    metric.product(v)  # from the second on, products share a linearization
    timings = side_by_side(
        {
            "riemopt": lambda: metric.product(v).block_until_ready(),
            "kfac_jax": lambda: jax.block_until_ready(theirs(parameters, net.inputs, direction)),
        },
        2 if quick else 7,
    )
    ours = timings["riemopt"].result
    other = jnp.concatenate([leaf.ravel() for leaf in jax.tree_util.tree_leaves(timings["kfac_jax"].result)])
    apart = float(jnp.linalg.norm(ours - other) / jnp.linalg.norm(ours))
    if not apart < 1e-3:
        raise RuntimeError(f"riemopt and kfac_jax disagree by {apart:.1e}")
    seconds = {name: timing.seconds for name, timing in timings.items()}
    print(json.dumps({"seconds": seconds, "version": importlib.metadata.version("kfac-jax")}))


if __name__ == "__main__":
    main()
