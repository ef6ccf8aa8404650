"""Tests mirror the package: a module's test is where its name says."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_module_has_its_test_at_the_mirrored_path():
    modules = [path.relative_to(ROOT / "riemopt") for path in (ROOT / "riemopt").rglob("*.py")]
    tests = [path.with_name(f"test_{path.name}") for path in modules if not path.name.startswith("__")]
    missing = [str(path) for path in sorted(tests) if not (ROOT / "tests" / path).is_file()]
    assert not missing, f"{len(missing)} of {len(tests)}"
