"""Calls of a Windows server's programs (DCE/RPC) over a named pipe, and the parts of NDR that their answers need."""

import struct
import uuid

from sidecars.smb.share import Pipe

NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")
FRAGMENT_BYTES = 4280


class RpcError(Exception):
    """The server refused; `status` is its NTSTATUS or its DCE/RPC fault."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:08x}")
        self.status = status


class Rpc:
    """DCE/RPC over a pipe, [C706] chapter 12: one bind, then one call at a time."""

    def __init__(self, pipe: Pipe, interface: uuid.UUID, version: int) -> None:
        self.pipe = pipe
        self.calls = 0
        wanted = interface.bytes_le + struct.pack("<I", version)
        syntaxes = struct.pack("<HBx", 0, 1) + wanted + NDR.bytes_le + struct.pack("<I", 2)
        bind = struct.pack("<HHIB3x", FRAGMENT_BYTES, FRAGMENT_BYTES, 0, 1) + syntaxes
        self._write(11, bind)
        if self._read_fragment()[2] != 12:
            raise RpcError(0xC0020043)

    def call(self, operation: int, arguments: bytes) -> "Reader":
        self._write(0, struct.pack("<IHH", len(arguments), 0, operation) + arguments)
        body = b""
        while True:
            fragment = self._read_fragment()
            if fragment[2] != 2:
                # A fault carries its reason behind the response's own fields.
                raise RpcError(struct.unpack_from("<I", fragment, 24)[0])
            body += fragment[24:]
            if fragment[3] & 2:
                return Reader(body)

    def _write(self, kind: int, body: bytes) -> None:
        self.calls += 1
        header = struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", 16 + len(body), 0, self.calls)
        self.pipe.write(header + body)

    def _read_fragment(self) -> bytes:
        data = self.pipe.read()
        while len(data) < 16 or len(data) < struct.unpack_from("<H", data, 8)[0]:
            data += self.pipe.read()
        return data


class Reader:
    """NDR, [C706] chapter 14, as far as these answers need it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def u32(self) -> int:
        self.at += -self.at % 4
        (value,) = struct.unpack_from("<I", self.data, self.at)
        self.at += 4
        return value

    def pointer(self) -> bool:
        return self.u32() != 0

    def handle(self) -> bytes:
        handle = self.data[self.at : self.at + 20]
        self.at += 20
        self.check()
        return handle

    def check(self, allowed: int = 0) -> int:
        status = self.u32()
        if status not in (0, allowed):
            raise RpcError(status)
        return status

    def sid(self) -> str:
        count = self.u32()
        revision, _count, authority = struct.unpack_from(">BB6s", self.data, self.at)
        parts = struct.unpack_from(f"<{count}I", self.data, self.at + 8)
        self.at += 8 + 4 * count
        return "-".join(["S", str(revision), str(int.from_bytes(authority)), *map(str, parts)])

    def named(self) -> list[tuple[int, str]]:
        """SAMPR_ENUMERATION_BUFFER: pairs of a relative id and a name."""
        if not self.pointer():
            return []
        self.u32()
        if not self.pointer():
            return []
        heads = [(self.u32(), self.u32() & 0xFFFF, self.pointer()) for _ in range(self.u32())]
        return [(rid, self.text(size) if present else "") for rid, size, present in heads]

    def text(self, size_bytes: int) -> str:
        self.u32()
        self.u32()
        characters = self.u32()
        start = self.at
        self.at += 2 * characters
        return self.data[start : start + min(size_bytes, 2 * characters)].decode("utf-16-le", "replace")

    def members(self) -> list[int]:
        """SAMPR_GET_MEMBERS_BUFFER: relative ids, and attributes that nothing here needs."""
        if not self.pointer():
            return []
        self.u32()
        present = [self.pointer(), self.pointer()]
        arrays = [[self.u32() for _ in range(self.u32())] if there else [] for there in present]
        return arrays[0]

    def sids(self) -> list[str]:
        self.u32()
        if not self.pointer():
            return []
        present = [self.pointer() for _ in range(self.u32())]
        return [self.sid() for there in present if there]

    def blob(self) -> bytes:
        """A conformant array of bytes."""
        size = self.u32()
        start = self.at
        self.at += size
        return self.data[start : self.at]


def text_argument(text: str) -> bytes:
    """[string] wchar_t*, as it stands behind a reference."""
    data = (text + "\0").encode("utf-16-le")
    count = len(data) // 2
    return struct.pack("<III", count, 0, count) + data + b"\0" * (-len(data) % 4)


def text_pointer(text: str) -> bytes:
    return struct.pack("<I", 0x20000) + text_argument(text)
