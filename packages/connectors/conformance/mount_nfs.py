"""Mounts a folder of an NFSv4 server through FUSE, for systems whose kernel has no NFS client of its own.

libnfs speaks the protocol; here is only what a reader asks a file system for. What the server refuses is refused with its
own error, and nothing is remembered between two questions. Usage: mount_nfs.py LIBNFS PORT FOLDER MOUNTPOINT
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from typing import Any

from fusepy import FUSE, FuseOSError, Operations

PATH_BYTES = 4096


class Stat(ctypes.Structure):
    """struct nfs_stat_64 of libnfs.h."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in [
            "dev",
            "ino",
            "mode",
            "nlink",
            "uid",
            "gid",
            "rdev",
            "size",
            "blksize",
            "blocks",
            "atime",
            "mtime",
            "ctime",
            "atime_nsec",
            "mtime_nsec",
            "ctime_nsec",
            "used",
        ]
    ]


class Entry(ctypes.Structure):
    """The beginning of struct nfsdirent of libnfs.h, which libnfs makes and frees."""

    _fields_ = [("next", ctypes.c_void_p), ("name", ctypes.c_char_p)]


class NfsFolder(Operations):
    """Paths begin at the mounted folder; answers are the server's."""

    # Times are nanoseconds.
    use_ns = True

    def __init__(self, library: str, port: int, folder: str) -> None:
        self.nfs = ctypes.CDLL(library)
        for name in ("nfs_init_context", "nfs_parse_url_dir", "nfs_readdir", "nfs_get_error"):
            getattr(self.nfs, name).restype = ctypes.c_void_p
        self.port = port
        self.folder = folder
        self.count = 0
        self.context = self.connect()
        self.opened: dict[int, tuple[ctypes.c_void_p, ctypes.c_void_p]] = {}

    def connect(self) -> ctypes.c_void_p:
        context = ctypes.c_void_p(self.nfs.nfs_init_context())
        # By default connections of one second are one client, whose state a new one throws away.
        self.count += 1
        self.nfs.nfs4_set_client_name(context, f"anneal {os.getpid()} {self.count}".encode())
        url = f"nfs://127.0.0.1{self.folder}?version=4&nfsport={self.port}".encode()
        # Read for its parameters, which it gives to the context.
        if not self.nfs.nfs_parse_url_dir(context, url):
            raise RuntimeError(f"libnfs does not understand {url!r}")
        self.call_in(context, "nfs_mount", b"127.0.0.1", self.folder.encode())
        return context

    def call(self, name: str, *arguments: Any) -> int:
        return self.call_in(self.context, name, *arguments)

    def call_in(self, context: ctypes.c_void_p, name: str, *arguments: Any) -> int:
        result = int(getattr(self.nfs, name)(context, *arguments))
        if result < 0:
            raise FuseOSError(-result)
        return result

    def getattr(self, path: str, fh: int | None = None) -> dict[str, float]:
        found = Stat()
        self.call("nfs_lstat64", path.encode(), ctypes.byref(found))
        times = {
            f"st_{kind}time": getattr(found, f"{kind}time") * 10**9 + getattr(found, f"{kind}time_nsec")
            for kind in ("a", "m", "c")
        }
        plain = {f"st_{name}": getattr(found, name) for name in ("ino", "mode", "nlink", "uid", "gid", "size")}
        return plain | times

    def access(self, path: str, amode: int) -> int:
        return self.call("nfs_access", path.encode(), amode)

    def readdir(self, path: str, fh: int) -> list[str]:
        folder = ctypes.c_void_p()
        self.call("nfs_opendir", path.encode(), ctypes.byref(folder))
        names = []
        while address := self.nfs.nfs_readdir(self.context, folder):
            names.append(Entry.from_address(address).name.decode(errors="surrogateescape"))
        self.nfs.nfs_closedir(self.context, folder)
        return names

    def readlink(self, path: str) -> str:
        target = ctypes.create_string_buffer(PATH_BYTES)
        self.call("nfs_readlink", path.encode(), target, PATH_BYTES)
        return target.value.decode()

    def open(self, path: str, flags: int) -> int:
        if stat.S_ISLNK(self.getattr(path)["st_mode"]):
            raise FuseOSError(errno.ELOOP)
        # A connection of its own: libnfs loses count of what it asked for once the server refuses to open a file.
        context, file = self.connect(), ctypes.c_void_p()
        try:
            self.call_in(context, "nfs_open", path.encode(), flags & 3, ctypes.byref(file))
        except FuseOSError:
            self.nfs.nfs_destroy_context(context)
            raise
        number = self.count
        self.opened[number] = context, file
        return number

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        piece = ctypes.create_string_buffer(size)
        context, file = self.opened[fh]
        count = self.call_in(context, "nfs_pread", file, ctypes.c_uint64(offset), ctypes.c_uint64(size), piece)
        return piece.raw[:count]

    def release(self, path: str, fh: int) -> int:
        context, file = self.opened.pop(fh)
        try:
            return self.call_in(context, "nfs_close", file)
        finally:
            self.nfs.nfs_destroy_context(context)


def main() -> None:
    library, port, folder, mountpoint = sys.argv[1:]
    fresh = {"attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0, "direct_io": True, "use_ino": True}
    mounted = NfsFolder(library, int(port), folder)
    # The context of libnfs is for one thread.
    FUSE(mounted, mountpoint, foreground=True, nothreads=True, ro=True, **fresh)


if __name__ == "__main__":
    main()
