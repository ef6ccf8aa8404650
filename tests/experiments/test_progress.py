"""Progress is told by what a study is given, or to nobody."""

from riemopt.experiments.progress import quiet


def test_nobody_is_told(capsys):
    assert quiet(1, 2, "ng") is None
    assert capsys.readouterr() == ("", "")
