"""Images are what their files say, and every way in which a file can be wrong is told."""

import gzip
import struct

import numpy as np
import pytest
from scipy.io import savemat

from riemopt.errors import ArgumentError, DataError
from riemopt.experiments.images import curves, mnist, olivetti_faces, read_idx


def idx(array, code):
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize(("code", "kind"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_gives_the_array_that_was_written(code, kind, pack, tmp_path):
    array = np.arange(-6, 6).reshape(3, 2, 2).astype(kind)
    (tmp_path / "file").write_bytes(pack(idx(array, code)))
    found = read_idx(tmp_path / "file")
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a file in the IDX format"),
        (b"PK\3\4 something else", "not a file in the IDX format"),
        (idx(np.zeros((2, 2), "u1"), 8)[:-1], "cut short"),
        (idx(np.zeros((2, 2), "u1"), 8)[:6], "cut short"),
        (gzip.compress(idx(np.zeros(99, "u1"), 8), mtime=0)[:20], "cannot be read"),
    ],
    ids=["empty", "something else", "a byte less", "in its head", "in its compression"],
)
def test_a_file_that_is_something_else_is_said_to_be(content, message, tmp_path):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "file")


def written(folder, images, labels):
    folder.mkdir(exist_ok=True)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images, 8)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels, 8))


def test_digits_are_intensities_and_labels(tmp_path, monkeypatch):
    images = np.arange(2 * 28 * 28).reshape(2, 28, 28).astype("u1")
    written(tmp_path / "mnist", images, np.array([7, 2], "u1"))
    monkeypatch.setenv("RIEMOPT_DATA", str(tmp_path))
    for found, labels in (mnist("test"), mnist("test", tmp_path / "mnist")):
        np.testing.assert_array_equal(found, images.reshape(2, -1) / np.float32(255))
        assert found.dtype == np.float32 and labels.tolist() == [7, 2]
    with pytest.raises(DataError, match=r"MNIST: there is no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in"):
        mnist()
    written(tmp_path / "mnist", images, np.array([7], "u1"))
    with pytest.raises(DataError, match="do not belong together"):
        mnist("test")
    with pytest.raises(ArgumentError, match="'train' or 'test'"):
        mnist("validation")


def test_who_has_no_data_is_told_where_to_put_them(monkeypatch):
    monkeypatch.delenv("RIEMOPT_DATA", raising=False)
    with pytest.raises(DataError, match="set the environment variable RIEMOPT_DATA to a folder with olivettifaces"):
        olivetti_faces()


def test_faces_stand_upright(tmp_path):
    columns = np.random.default_rng(0).integers(0, 256, (4096, 400)).astype("u1")
    savemat(tmp_path / "olivettifaces.mat", {"faces": columns})
    faces = olivetti_faces(tmp_path)
    assert faces.shape == (400, 64, 64) and faces.dtype == np.float32
    np.testing.assert_array_equal(faces[3][:, 5] * 255, columns[5 * 64 : 6 * 64, 3])
    savemat(tmp_path / "olivettifaces.mat", {"faces": columns[:, :3]})
    with pytest.raises(DataError, match=r"shape \(4096, 3\)"):
        olivetti_faces(tmp_path)
    (tmp_path / "olivettifaces.mat").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="cannot be read"):
        olivetti_faces(tmp_path)


def test_curves_are_thin_lines_from_left_to_right():
    images = curves(50, seed=1).reshape(-1, 28, 28)
    assert images.dtype == np.float32 and images.min() == 0.0 and images.max() == 1.0
    inked = images.max(axis=1) > 0
    for columns in inked:
        first, last = np.flatnonzero(columns)[[0, -1]]
        assert last - first >= 4  # three points 2 apart
    assert 0.01 < images.mean() < 0.2


def test_the_same_seed_draws_the_same_curves():
    np.testing.assert_array_equal(curves(5, seed=3), curves(5, seed=3))
    assert np.any(curves(5, seed=3) != curves(5, seed=4))
    assert curves(0).shape == (0, 784)
    with pytest.raises(ArgumentError, match="count"):
        curves(-1)
