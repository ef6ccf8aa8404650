"""Cases on several devices or in several processes give the numbers of one; who loses a process ends with an error."""

import os
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import riemopt as ro
from riemopt.autodiff import feedforward

SIZES = [(5, 3), (2, 5)]
SETTINGS = {
    "step_size": 1.0,
    "steps": 4,
    "solver": ro.ConjugateGradient(),
    "damping": ro.LevenbergMarquardt(1.0),
    "line_search": ro.Backtracking(),
}


def data():
    rng = np.random.default_rng(0)
    parameters = [(rng.normal(size=size), rng.normal(size=size[0])) for size in SIZES]
    return parameters, rng.normal(size=(8, 3)), rng.integers(0, 2, (8, 2)).astype(float)


@pytest.fixture(scope="module")
def expected():
    net = feedforward.NetworkProblem(*data(), output="bernoulli")
    return ro.minimize(net, "geo", net.start, **SETTINGS).losses


IN_JAX = """
    import os, sys
    rank, ranks, port, dies = map(int, sys.argv[1:])
    if ranks == 1:
        os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    import jax
    import jax.numpy as jnp
    import numpy as np
    import riemopt as ro
    from jax.sharding import Mesh, NamedSharding, PartitionSpec
    from tests.autodiff.test_several_devices import SETTINGS, data

    jax.config.update("jax_enable_x64", True)
    if ranks > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"127.0.0.1:{port}", ranks, rank, heartbeat_timeout_seconds=10)
    assert len(jax.devices()) == 2

    def network(parameters, x):
        for k, (weights, biases) in enumerate(parameters):
            x = (jnp.tanh(x) if k else x) @ weights.T + biases
        return x

    parameters, inputs, targets = data()
    mesh = Mesh(np.array(jax.devices()), ("cases",))
    by_case, everywhere = NamedSharding(mesh, PartitionSpec("cases")), NamedSharding(mesh, PartitionSpec())
    own = slice(rank * 8 // ranks, (rank + 1) * 8 // ranks)
    inputs, targets = (jax.make_array_from_process_local_data(by_case, a[own]) for a in (inputs, targets))
    parameters = jax.tree.map(lambda a: jax.make_array_from_process_local_data(everywhere, a), parameters)
    net = ro.autodiff.jax.NetworkProblem(network, parameters, inputs, targets, output="bernoulli")

    def callback(state):
        if dies and rank == 1 and state.iteration == 2:
            os._exit(1)

    trajectory = ro.minimize(net, "geo", net.start, **SETTINGS, callback=callback)
    print("losses", *map(repr, map(float, trajectory.losses)))
"""


IN_TORCH = """
    import os, sys
    rank, ranks, port, dies = map(int, sys.argv[1:])
    import torch
    import riemopt as ro
    from tests.autodiff.test_several_devices import SETTINGS, data

    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    parameters, inputs, targets = data()
    layers = [torch.nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64) for w, _ in parameters]
    for layer, (weights, biases) in zip(layers, parameters):
        layer.load_state_dict({"weight": torch.from_numpy(weights), "bias": torch.from_numpy(biases)})
    own = slice(rank * 3, rank * 3 + (3 if rank == 0 else 5))
    net = ro.autodiff.torch.NetworkProblem(
        torch.nn.Sequential(layers[0], torch.nn.Tanh(), layers[1]), inputs[own], targets[own], output="bernoulli",
        group=torch.distributed.group.WORLD,
    )
    assert net.count == 8

    def callback(state):
        if dies and rank == 1 and state.iteration == 2:
            os._exit(1)

    trajectory = ro.minimize(net, "geo", net.start, **SETTINGS, callback=callback)
    print("losses", *map(repr, map(float, trajectory.losses)))
"""


def run(program, ranks, dies=False):
    """What each process of a program prints, and how it ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OMP_NUM_THREADS": "1",
    }
    commands = [
        [sys.executable, "-c", textwrap.dedent(program), *map(str, (rank, ranks, port, int(dies)))]
        for rank in range(ranks)
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    processes = [subprocess.Popen(command, **pipes) for command in commands]
    try:
        return [(*process.communicate(timeout=60), process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()


def losses(out):
    return [float(x) for line in out.splitlines() if line.startswith("losses") for x in line.split()[1:]]


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_arrays_of_jax_that_are_sharded_over_cases_give_the_same_numbers(ranks, expected):
    for out, errors, _ in run(IN_JAX, ranks):
        assert losses(out) == pytest.approx(expected, rel=1e-9), errors


@pytest.mark.slow
def test_processes_of_pytorch_with_cases_of_their_own_give_the_same_numbers(expected):
    for out, errors, _ in run(IN_TORCH, 2):
        assert losses(out) == pytest.approx(expected, rel=1e-9), errors


@pytest.mark.slow
def test_processes_with_as_many_parts_as_they_have_cases_for_go_together():
    """The metric is over a part of one process' cases, and over all of the other's, who has no more."""
    program = IN_TORCH.replace('output="bernoulli",', 'output="bernoulli", metric_cases=3,')
    program = program.replace("**SETTINGS", "step_size=1.0, steps=4, faithful=True")
    (one, errors, _), (other, _, _) = run(program, 2)
    assert len(losses(one)) == 5 and losses(one) == losses(other), errors
    assert losses(one)[-1] < losses(one)[0]


@pytest.mark.slow
@pytest.mark.parametrize("program", [IN_JAX, IN_TORCH], ids=["jax", "torch"])
def test_a_process_that_dies_ends_the_other(program):
    (out, errors, code), _ = run(program, 2, dies=True)
    assert code != 0 and not losses(out)
    assert "Error" in errors
