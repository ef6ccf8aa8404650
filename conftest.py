"""Which modules are looked through for examples: to import all the others for none would take every process seconds."""

from pathlib import Path

PACKAGE = Path(__file__).parent / "riemopt"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the modules of riemopt whose docstrings have no example.

    Not a package itself: pytest would then import a module of it first, and put it where the package has a function of
    the same name.
    """
    if PACKAGE not in collection_path.parents or collection_path.suffix != ".py" or collection_path.stem == "__init__":
        return None
    return None if b">>>" in collection_path.read_bytes() else True
