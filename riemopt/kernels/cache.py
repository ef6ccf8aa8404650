"""Generated modules on disk, named by what they hold.

Numba caches only functions whose source is a file, so generated text is written to a directory and imported from there.
The directory is ``RIEMOPT_CACHE`` if that variable is set, else the user's cache directory; it must belong to the user
and be writable to nobody else, since what it holds is run.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["clear", "contents", "directory", "load", "load_unsaved"]

_loaded: dict[str, ModuleType] = {}
_temporary: list[tempfile.TemporaryDirectory[str]] = []


@functools.lru_cache
def _prepared(wanted: str) -> Path:
    path = Path(wanted)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _unsafe(path)
    except OSError as error:
        problem = error.strerror or str(error)
    if not problem:
        return path
    _warn(path, problem)
    _temporary.append(tempfile.TemporaryDirectory(prefix="riemopt-", ignore_cleanup_errors=True))
    return Path(_temporary[-1].name)


def _warn(path: Path, problem: str) -> None:
    warnings.warn(
        f"the kernel cache {path} is not used ({problem}); kernels are compiled anew in every process. "
        "Set RIEMOPT_CACHE to a directory with room that only you can write to.",
        RuntimeWarning,
        stacklevel=3,
    )


def _unsafe(path: Path) -> str:
    """Why code from a directory must not be run; empty if it may."""
    if not path.is_dir():
        return "not a directory"
    if hasattr(os, "getuid"):
        facts = path.stat()
        if facts.st_uid != os.getuid():
            return "it belongs to another user"
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others can write to it"
    if not os.access(path, os.W_OK | os.X_OK):
        return "it cannot be written to"
    return ""


def directory() -> Path:
    """Where kernels are kept; made if need be, and a private temporary one if the wanted one is not safe to use."""
    import platformdirs

    return _prepared(os.environ.get("RIEMOPT_CACHE") or platformdirs.user_cache_dir("riemopt", appauthor=False))


def contents() -> list[Path]:
    """The files of all kernels that are kept, other versions' too, and what a broken run has left."""
    path = directory()
    found = [*path.glob("kernel_*.py"), *path.glob("__pycache__/kernel_*"), *path.glob("*.part")]
    return sorted(file for file in found if file.is_file())


def clear() -> None:
    """Delete these files, and no others. Who has loaded a kernel keeps it."""
    for file in contents():
        file.unlink(missing_ok=True)  # another process may be at it as well


@functools.lru_cache
def _versions() -> str:
    names = ("riemopt", "numba", "numba-cuda", "llvmlite", "numpy")
    found = []
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return f"{found} {sys.version}"


def load(text: str, bindings: Mapping[str, Any], depends: str = "") -> ModuleType:
    """Import a module with a given text, from the cache directory.

    Parameters
    ----------
    text : str
        The module's source. It must have been generated here: it is run.
    bindings : mapping of str to object
        Names that the text uses and does not define.
    depends : str, optional
        Any other text that the compiled module depends on, such as the source of what `bindings` holds.
    """
    digest = _digest(text, depends)
    module = _loaded.get(digest)
    if module is None:
        path = directory() / f"kernel_{digest}.py"
        _write(path, text)
        module = _loaded[digest] = _run(f"riemopt_kernel_{digest}", text, bindings, str(path))
    return module


def load_unsaved(text: str, bindings: Mapping[str, Any], depends: str, error: OSError) -> ModuleType:
    """The module of :func:`load` where nothing can be written, kept for this process; a warning says why."""
    _warn(directory(), error.strerror or str(error))
    digest = _digest(text, depends)
    module = _loaded[digest] = _run(f"riemopt_kernel_{digest}", text, bindings, "<riemopt kernel>")
    return module


def _digest(text: str, depends: str) -> str:
    return hashlib.sha256("\0".join((text, depends, _versions())).encode()).hexdigest()[:32]


def _run(name: str, text: str, bindings: Mapping[str, Any], path: str) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(bindings, __file__=path)
    # Numba finds the module again by its name when it loads a compiled function
    sys.modules[name] = module
    # the text itself is run, not what the file or a stale .pyc holds by now
    exec(compile(text, path, "exec"), vars(module))
    return module


def _write(path: Path, text: str) -> None:
    """Write a file unless it is there already; whoever else writes it meanwhile writes the same."""
    with contextlib.suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
