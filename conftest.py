"""Which modules are looked through for examples: to import all the others for none would take every process seconds."""

from pathlib import Path

PACKAGE = Path(__file__).parent / "riemopt"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the modules of riemopt whose docstrings have no example."""
    inside = PACKAGE in collection_path.parents and collection_path.suffix == ".py"
    return True if inside and b">>>" not in collection_path.read_bytes() else None
