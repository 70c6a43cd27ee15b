"""Files that appear whole or not at all, and names that are safe on every disk."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

_SAFE = re.compile(r"[A-Z0-9.\-]")
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{d}{n}" for d in ("COM", "LPT") for n in range(10))}


def slug(symbol: str) -> str:
    """The file and page name of a ticker: the symbol, other characters as `_` and two hex digits a byte.

    Injective, also where a disk ignores case; never hidden, never one of the names that Windows keeps for
    devices, never with a dot at its end, which Windows drops.

    >>> slug("BRK.B"), slug("^GSPC"), slug("CON")
    ('BRK.B', '_5EGSPC', '_43ON')
    """
    name = "".join(c if _SAFE.fullmatch(c) else _escaped(c) for c in symbol)
    if name.endswith("."):
        name = name[:-1] + _escaped(".")
    if name.startswith(".") or name.split(".")[0] in _RESERVED:
        name = _escaped(name[0]) + name[1:]
    return name


def unslug(name: str) -> str:
    """The symbol whose slug is `name`.

    >>> unslug("_5EGSPC")
    '^GSPC'
    """
    escape = re.compile(rb"_([0-9A-F]{2})")
    return escape.sub(lambda hit: bytes.fromhex(hit[1].decode()), name.encode()).decode(
        "utf-8", "surrogatepass"
    )


def _escaped(character: str) -> str:
    return "".join(f"_{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success sync it and rename it to `path`.

    On any error (a full disk, an interrupt) the temporary file is removed and what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(
    path: Path, fence: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[Path]:
    """Give a temporary folder beside `path`; on success it takes the place of `path`, inside a `fence`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    old = part.with_suffix(".old")
    try:
        yield part
        part.chmod(0o777 & ~_umask())
        for file in part.rglob("*"):
            if file.is_file():
                with file.open("rb") as written:
                    os.fsync(written.fileno())
        with fence():
            if path.exists():
                path.rename(old)
            part.rename(path)
        _sync_folder(path.parent)
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def left_halfway(home: Path) -> list[Path]:
    """What `whole_folder` left in a folder when its process was killed, or is still at work on."""
    return [path for path in home.glob(".*.*") if path.suffix in {".part", ".old"} and path.is_dir()]


def tidy(left: Iterable[Path]) -> None:
    """Remove what `left_halfway` found; what had been set aside goes back where nothing took its place."""
    for path in left:
        target = path.with_name(path.name[1:].rsplit(".", 2)[0])
        if path.suffix == ".old" and not target.exists():
            path.rename(target)
        shutil.rmtree(path, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def dump_json(value: Any) -> str:
    """Strict JSON with sorted keys: equal values give equal text; NaN and infinity are refused.

    Raises:
        ValueError: for NaN or infinity.
        TypeError: for what JSON does not know.
    """
    return json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def digest(*parts: str | bytes) -> str:
    """SHA-256 over parts with their lengths, as 64 hex digits."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


@cache
def _umask() -> int:
    """The process's file mode mask: temporary files are private, what takes their place is as any file."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can (Windows cannot)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
