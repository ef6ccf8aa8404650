"""Files of a result appear whole or not at all."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from riemopt.experiments.files import output_folder, save_all, write_files


def test_files_are_written_into_a_new_folder_in_order(tmp_path):
    writers = {name: lambda path: path.write_text(path.name) for name in ("b.csv", "a.csv")}
    paths = write_files(tmp_path / "new" / "place", writers)
    assert [path.name for path in paths] == ["b.csv", "a.csv"]
    assert [path.read_text() for path in paths] == ["b.csv", "a.csv"]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == ["a.csv", "b.csv"]


def test_a_failure_leaves_nothing_of_a_folder_that_had_to_be_made(tmp_path):
    with pytest.raises(RuntimeError), output_folder(tmp_path / "new" / "place"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file"), output_folder(tmp_path / "file"):
        pass


def test_a_result_is_its_figure_and_its_tables(tmp_path):
    paths = save_all(tmp_path, "result", Figure(), {"numbers.csv": (["key", "x"], [("a", 0.1), ("b, c", None)])})
    assert [path.name for path in paths] == ["result.png", "result.svg", "numbers.csv"]
    assert paths[2].read_text(encoding="utf-8") == 'key,x\na,0.1\n"b, c",\n'
