"""A share, only read: folders page by page with the descriptors of what is in them, files piece by piece."""

import contextlib
import socket
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBResponseException
from smbprotocol.file_info import FileAttributes, FileInformationClass, InfoType
from smbprotocol.header import NtStatus
from smbprotocol.open import (
    CloseFlags,
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    ShareAccess,
    SMB2CloseRequest,
    SMB2CreateRequest,
    SMB2CreateResponse,
    SMB2QueryDirectoryRequest,
    SMB2QueryDirectoryResponse,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
    SMB2ReadRequest,
    SMB2ReadResponse,
)
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

RELATED = b"\xff" * 16
LIST_BYTES = 65536
DESCRIPTOR_BYTES = 65536
READ_BYTES = 262_144
SLOWEST = 10
"""So many timeouts long may an answer take that comes slowly but steadily."""
OWNER_AND_DACL = 0x1 | 0x4
NAME_BYTES = 65536
FILE_NORMALIZED_NAME = 48
"""[MS-FSCC] 2.4.36, which the library has no word for."""
ENTRY = struct.Struct("<IIqqqqqqIIIIQ")
"""FileIdFullDirectoryInformation, [MS-FSCC] 2.4.22, without the name."""
SHARE_ALL = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE


@dataclass(frozen=True)
class Target:
    address: str
    """The one that was judged; `host` is only the name that the server is asked for by."""
    host: str
    port: int
    share: str
    user: str
    password: str
    encrypt: bool
    timeout_s: float


@dataclass(frozen=True)
class Entry:
    name: str
    attributes: int
    size: int
    written: int
    """100 ns since 1601."""
    file_id: int
    reparse_tag: int


@dataclass(frozen=True)
class OpenFile:
    handle: bytes
    size: int
    written: int
    start: bytes


class HeardSocket:
    """Knows how much came over it: an answer may take its time, and only silence is too long."""

    def __init__(self, inner: socket.socket) -> None:
        self.inner = inner
        self.heard_bytes = 0

    def recv(self, size: int) -> bytes:
        data = self.inner.recv(size)
        self.heard_bytes += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Share:
    def __init__(self, target: Target, connection: Connection, session: Session, tree: TreeConnect) -> None:
        self.target = target
        self.connection = connection
        # The library counts an answer's time from its request, and tells nobody how much of it has come.
        self.socket = connection.transport._sock = HeardSocket(connection.transport._sock)
        self.session = session
        self.tree = tree

    @staticmethod
    def connect(target: Target) -> "Share":
        connection = Connection(uuid.uuid4(), target.address, target.port, require_signing=True)
        try:
            connection.connect(timeout=target.timeout_s)
            # From here on the name only goes into the sign-in, which may be bound to it.
            connection.server_name = target.host
            session = Session(connection, target.user, target.password, require_encryption=target.encrypt)
            session.connect()
            tree = TreeConnect(session, rf"\\{target.host}\{target.share}")
            tree.connect()
            # Links of a DFS namespace lead to other servers, which nobody has judged.
            tree.is_dfs_share = False
        except Exception:
            if connection.transport is not None:
                connection.disconnect(close=False)
            raise
        return Share(target, connection, session, tree)

    def close(self) -> None:
        self.connection.disconnect(close=True, timeout=2)

    def open_pipe(self, name: str) -> "Pipe":
        tree = TreeConnect(self.session, rf"\\{self.target.host}\IPC$")
        tree.connect()
        tree.is_dfs_share = False
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_WRITE_DATA
        create = create_request(name, access, CreateOptions.FILE_NON_DIRECTORY_FILE)
        request = self.connection.send(create, self.session.session_id, tree.tree_connect_id)
        return Pipe(self, tree, _file_id(self.receive(request)))

    def open_folder(self, path: str) -> bytes:
        access = DirectoryAccessMask.FILE_LIST_DIRECTORY | DirectoryAccessMask.FILE_READ_ATTRIBUTES
        return self._open(create_request(path, access, CreateOptions.FILE_DIRECTORY_FILE))

    def open_file(self, path: str) -> "OpenFile":
        """A file with its first piece, in one exchange. A link is not followed: the answer to one is an error."""
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        create = create_request(path, access, CreateOptions.FILE_NON_DIRECTORY_FILE)
        opening, reading = self._send_compound([create, self._read_request(RELATED, 0)])
        try:
            header = self.receive(opening)
        except SMBResponseException:
            # It failed with the other, and its answer has to be taken all the same.
            with contextlib.suppress(SMBResponseException):
                self.receive(reading)
            raise
        written, size = struct.unpack_from("<q16xq", header["data"].get_value(), 24)
        return OpenFile(_file_id(header), size, written, self._piece(reading))

    def exists(self, path: str) -> bool:
        try:
            self.close_handle(self._open(create_request(path, FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES, 0)))
        except SMBResponseException as error:
            if error.status in (NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, NtStatus.STATUS_OBJECT_PATH_NOT_FOUND):
                return False
            raise
        return True

    def place(self, path: str) -> str:
        """Where the server goes for a path: Samba tells what the links of folders on the way have led to."""
        create, query, _closed = (self._answer(request) for request in self._send_compound(_query_name(path)))
        for answer in (create, query):
            if isinstance(answer, SMBResponseException):
                raise answer
        told = _buffer(SMB2QueryInfoResponse(), query)
        (name_bytes,) = struct.unpack_from("<I", told)
        return told[4 : 4 + name_bytes].decode("utf-16-le", "replace")

    def list_page(self, handle: bytes) -> list[Entry] | None:
        """The next entries of an open folder; None at its end."""
        query = SMB2QueryDirectoryRequest()
        query["file_information_class"] = FileInformationClass.FILE_ID_FULL_DIRECTORY_INFORMATION
        query["file_id"] = handle
        query["output_buffer_length"] = LIST_BYTES
        query["buffer"] = "*".encode("utf-16-le")
        try:
            header = self.receive(self._send(query))
        except SMBResponseException as error:
            if error.status in (NtStatus.STATUS_NO_MORE_FILES, NtStatus.STATUS_NO_SUCH_FILE):
                return None
            raise
        return list(_entries(_buffer(SMB2QueryDirectoryResponse(), header)))

    def read(self, handle: bytes, offset: int) -> bytes:
        """Up to READ_BYTES from `offset`; nothing at the end of the file."""
        return self._piece(self._send(self._read_request(handle, offset)))

    def _read_request(self, handle: bytes, offset: int) -> SMB2ReadRequest:
        read = SMB2ReadRequest()
        read["length"] = min(READ_BYTES, self.connection.max_read_size)
        read["offset"] = offset
        read["file_id"] = handle
        read["padding"] = b"\x50"
        return read

    def _piece(self, request: Any) -> bytes:
        try:
            return _buffer(SMB2ReadResponse(), self.receive(request))
        except SMBResponseException as error:
            if error.status == NtStatus.STATUS_END_OF_FILE:
                return b""
            raise

    def finish(self, handle: bytes) -> tuple[int, int] | None:
        """Closes a file; its size and last write as they were then, where the server tells."""
        close = SMB2CloseRequest()
        close["flags"] = CloseFlags.SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB
        close["file_id"] = handle
        data = self.receive(self._send(close))["data"].get_value()
        (told,) = struct.unpack_from("<H", data, 2)
        written, size = struct.unpack_from("<q16xq", data, 24)
        return (size, written) if told else None

    def close_handle(self, handle: bytes) -> None:
        close = SMB2CloseRequest()
        close["file_id"] = handle
        self.receive(self._send(close))

    def descriptors(self, paths: list[str]) -> list[bytes | int]:
        """Owner and DACL of each path as they are stored, or the NTSTATUS that says why not."""
        results: list[bytes | int] = []
        while len(results) < len(paths):
            window = self.connection.sequence_window
            # Three requests each; what the server has not granted yet it would refuse.
            batch = max(1, min(32, (window["high"] - window["low"]) // 4))
            wanted = paths[len(results) : len(results) + batch]
            sent = [self._send_compound(_query_descriptor(path)) for path in wanted]
            results.extend(self._receive_descriptor(requests) for requests in sent)
        return results

    def _receive_descriptor(self, requests: list[Any]) -> bytes | int:
        create, query, _closed = (self._answer(request) for request in requests)
        if isinstance(create, SMBResponseException):
            return create.status
        return query.status if isinstance(query, SMBResponseException) else _buffer(SMB2QueryInfoResponse(), query)

    def _answer(self, request: Any) -> Any:
        """One of several that were sent together: each has to be taken, whatever became of those before it."""
        try:
            return self.receive(request)
        except SMBResponseException as error:
            return error

    def _open(self, create: SMB2CreateRequest) -> bytes:
        return _file_id(self.receive(self._send(create)))

    def _send(self, message: Any) -> Any:
        return self.connection.send(message, self.session.session_id, self.tree.tree_connect_id)

    def _send_compound(self, messages: list[Any]) -> list[Any]:
        return self.connection.send_compound(messages, self.session.session_id, self.tree.tree_connect_id, related=True)

    def receive(self, request: Any) -> Any:
        tries = 0
        while True:
            tries += 1
            heard_bytes = self.socket.heard_bytes
            try:
                return self.connection.receive(request, timeout=self.target.timeout_s, resolve_symlinks=False)
            except SMBResponseException:
                raise
            except SMBException:
                if self.socket.heard_bytes == heard_bytes or tries == SLOWEST:
                    raise


class Pipe:
    """A named pipe in message mode: one message written, one read."""

    def __init__(self, share: Share, tree: TreeConnect, handle: bytes) -> None:
        self.share = share
        self.tree = tree
        self.handle = handle

    def write(self, message: bytes) -> None:
        from smbprotocol.open import SMB2WriteRequest  # noqa: PLC0415  Nothing else here may write.

        write = SMB2WriteRequest()
        write["file_id"] = self.handle
        write["buffer"] = message
        self._exchange(write)

    def read(self) -> bytes:
        read = SMB2ReadRequest()
        read["length"] = 8192
        read["file_id"] = self.handle
        read["padding"] = b"\x50"
        return _buffer(SMB2ReadResponse(), self._exchange(read))

    def _exchange(self, message: Any) -> Any:
        share = self.share
        request = share.connection.send(message, share.session.session_id, self.tree.tree_connect_id)
        return share.receive(request)


def is_samba(server_guid: uuid.UUID) -> bool:
    """Samba fills in its NetBIOS name, of at most 15 bytes, where other servers have a random number."""
    name = server_guid.bytes.rstrip(b"\0")
    return 0 < len(name) < 16 and all(0x20 < byte < 0x7F for byte in name)


def create_request(path: str, access: int, options: int) -> SMB2CreateRequest:
    create = SMB2CreateRequest()
    create["impersonation_level"] = ImpersonationLevel.Impersonation
    create["desired_access"] = access
    create["file_attributes"] = FileAttributes.FILE_ATTRIBUTE_NORMAL
    create["share_access"] = SHARE_ALL
    create["create_disposition"] = CreateDisposition.FILE_OPEN
    create["create_options"] = options
    create["buffer_path"] = path.encode("utf-16-le", "surrogatepass") or b"\x00\x00"
    return create


def _query_descriptor(path: str) -> list[Any]:
    query = SMB2QueryInfoRequest()
    query["info_type"] = InfoType.SMB2_0_INFO_SECURITY
    query["output_buffer_length"] = DESCRIPTOR_BYTES
    query["additional_information"] = OWNER_AND_DACL
    return _query_of(path, FilePipePrinterAccessMask.READ_CONTROL, query)


def _query_name(path: str) -> list[Any]:
    query = SMB2QueryInfoRequest()
    query["info_type"] = InfoType.SMB2_0_INFO_FILE
    query["file_info_class"] = FILE_NORMALIZED_NAME
    query["output_buffer_length"] = NAME_BYTES
    return _query_of(path, FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES, query)


def _query_of(path: str, access: int, query: SMB2QueryInfoRequest) -> list[Any]:
    query["file_id"] = RELATED
    close = SMB2CloseRequest()
    close["file_id"] = RELATED
    # A link has a descriptor and a name of its own, and it is those that are meant.
    return [create_request(path, access, CreateOptions.FILE_OPEN_REPARSE_POINT), query, close]


def _file_id(header: Any) -> bytes:
    response = SMB2CreateResponse()
    response.unpack(header["data"].get_value())
    return response["file_id"].get_value()


def _buffer(response: Any, header: Any) -> bytes:
    response.unpack(header["data"].get_value())
    return response["buffer"].get_value()


def _entries(data: bytes) -> Iterator[Entry]:
    offset = 0
    while True:
        fields = ENTRY.unpack_from(data, offset)
        step, written, size, attributes = fields[0], fields[4], fields[6], fields[8]
        # Where the entry is a reparse point, the size of its extended attributes is its tag.
        name_bytes, tag, file_id = fields[9], fields[10], fields[12]
        start = offset + ENTRY.size
        name = data[start : start + name_bytes].decode("utf-16-le", "surrogatepass")
        if name not in (".", ".."):
            is_link = attributes & FileAttributes.FILE_ATTRIBUTE_REPARSE_POINT
            yield Entry(name, attributes, size, written, file_id, tag if is_link else 0)
        if step == 0:
            return
        offset += step
