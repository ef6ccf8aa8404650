"""The convolutional network learns digits, here ten patterns that are easy to tell apart, written as MNIST is."""

import importlib.util
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

SCRIPT = Path(__file__).parents[2] / "examples" / "convolutional_network.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("convolutional_network", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bars at ten places, with noise."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 40)):
        labels = rng.integers(0, 10, count).astype("u1")
        images = rng.integers(0, 40, (count, 28, 28)).astype("u1")
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 3 : 2 * label + 6] += 200
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    return folder


def test_it_reads_what_it_has_not_seen(example, folder):
    trajectory, losses, error = example.main(cases=60, steps=8, folder=folder)
    assert trajectory.points.shape[0] == 1 and trajectory.success
    assert losses[-1] < 0.2 * losses[0] and sorted(losses, reverse=True) == losses
    assert error < 0.1


def test_the_command_prints_losses_and_saves_a_figure(example, folder, tmp_path):
    figure = tmp_path / "losses.png"
    options = ["--cases", "20", "--steps", "1", "--data", str(folder), "--output", str(figure)]
    result = CliRunner().invoke(example.command, options)
    assert result.exit_code == 0, result.output
    assert "of the test images are read wrongly" in result.output
    assert figure.read_bytes().startswith(b"\x89PNG")
