"""The directory of collections: who holds it, what is in it, and when it is written out.

`collections/<name>/` holds the settings (`collection.json`) and the engine's files (`shard/`). While a collection is
being created or deleted it also holds `.incomplete`, so that a crash in between leaves what the next start clears away.
"""

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from sidecars.server import StartError
from sidecars.vectors.collection import Collection, Settings
from sidecars.vectors.errors import RequestError, not_found, wrong_input
from sidecars.vectors.filters import shown

MIN_FREE_BYTES = 256 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_SETTINGS_FILE = "collection.json"
_INCOMPLETE_FILE = ".incomplete"


class CollectionStore:
    """What the methods raise goes through `describe_failure`; the constructor raises StartError."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "collections"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._lock = _lock_directory(directory)
        except OSError as error:
            raise StartError(f"The directory {directory} cannot be used: {error}.") from error
        self._loaded: dict[str, Collection] = {}
        self._broken: dict[str, str] = {}
        for path in sorted(self._root.iterdir()):
            self._load(path)

    def names(self) -> list[str]:
        return sorted([*self._loaded, *self._broken])

    def exists(self, name: str) -> bool:
        return name in self._loaded or name in self._broken

    def get(self, name: str) -> Collection:
        if name in self._broken:
            raise RequestError(500, f"Service internal error: collection `{name}` cannot be read: {self._broken[name]}")
        if name not in self._loaded:
            raise not_found(f"Collection `{name}` doesn't exist!")
        return self._loaded[name]

    def create(self, settings: Settings) -> None:
        name = settings.name
        if not _NAME.fullmatch(name):
            raise wrong_input(f"the collection name {shown(name)} may have letters, digits, `_`, `-`, `.`; 128 at most")
        if self.exists(name):
            raise RequestError(409, f"Wrong input: Collection `{name}` already exists!")
        self.check_space()
        path = self._root / name
        try:
            path.mkdir()
            (path / _INCOMPLETE_FILE).touch()
            self._loaded[name] = Collection.create(settings, path / "shard")
            _write_durably(path / _SETTINGS_FILE, msgspec.json.encode(settings))
            (path / _INCOMPLETE_FILE).unlink()
        except FileExistsError as error:  # Not ours: something else left it there, so it stays.
            raise RequestError(409, f"Wrong input: {path} exists and holds no collection; move it away.") from error
        except Exception:
            self._loaded.pop(name, None)
            shutil.rmtree(path, ignore_errors=True)
            raise

    def delete(self, name: str) -> bool:
        """Says whether there was such a collection."""
        if not self.exists(name):
            return False
        path = self._root / name
        (path / _INCOMPLETE_FILE).touch()
        collection = self._loaded.pop(name, None)
        self._broken.pop(name, None)
        if collection is not None:
            collection.close()
        shutil.rmtree(path, ignore_errors=True)
        return True

    def check_space(self) -> None:
        """The engine writes through memory maps, where a full disk is a crash: so writing stops before that."""
        free_bytes = shutil.disk_usage(self._root).free
        if free_bytes < MIN_FREE_BYTES:
            raise RequestError(
                507,
                f"Service internal error: only {free_bytes >> 20} MiB are free on the disk of this server; "
                f"it writes while {MIN_FREE_BYTES >> 20} MiB are. Free some space and try again.",
            )

    def close(self) -> None:
        for collection in self._loaded.values():
            collection.flush()
            collection.close()
        self._loaded.clear()
        os.close(self._lock)

    def for_each(self, names: set[str], act: Callable[[Collection], None]) -> None:
        for name in names & self._loaded.keys():
            act(self._loaded[name])

    def _load(self, path: Path) -> None:
        if (path / _INCOMPLETE_FILE).exists():
            shutil.rmtree(path)
            return
        if not (path / _SETTINGS_FILE).is_file():
            return
        try:
            settings = msgspec.json.decode((path / _SETTINGS_FILE).read_bytes(), type=Settings)
            self._loaded[path.name] = Collection.load(settings, path / "shard")
        except Exception as error:  # One unreadable collection must not take the others down, and is kept for repair.
            self._broken[path.name] = str(error).split("\n", 1)[0]
            print(f"sidecars.vectors: collection {path.name} cannot be read: {error}", file=sys.stderr, flush=True)


def _lock_directory(directory: Path) -> int:
    lock = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise StartError(f"The directory {directory} is held by another vectors server (process {holder}).") from error
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _write_durably(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
