"""python -m sidecars.smb

One request a line in, one answer a line out, in the same order, until the input ends: `{"id", "ok": true, ...}` or
`{"id", "ok": false, "error": NAME}` with the name of an NTSTATUS, or one of UNREACHABLE, SIGN_IN, GUEST, NO_ENCRYPTION
and BROKEN.

    connect   address host port share user password encrypt timeout_s  -> samba
    list      path, descriptors                         -> handle
    page      handle                                    -> entries, or null at the end
    open      path                                      -> handle, size, written, data (base64), the first piece
    read      handle offset                             -> data (base64), empty at the end
    finish    handle                                    -> size, written as they are at the close, or null
    descriptors  paths                                  -> descriptors, in their order
    place     path                                      -> place, where the server goes for it
    exists    path                                      -> exists
    close     handle
    share                                               -> share: its descriptor, its error, or null for everybody
    accounts                                            -> users, others, groups
"""

import base64
import logging
import sys
from typing import Any

import msgspec
from smbprotocol.exceptions import SMBAuthenticationError, SMBConnectionClosed, SMBException, SMBResponseException
from smbprotocol.header import NtStatus

from sidecars.smb.rpc import RpcError
from sidecars.smb.samr import read_accounts
from sidecars.smb.share import Share, Target, is_samba
from sidecars.smb.srvsvc import read_share_descriptor

LINE_BYTES = 1 << 20
ACCESS_DENIED = 5
SIGN_IN_STATUSES = frozenset(
    {
        NtStatus.STATUS_LOGON_FAILURE,
        NtStatus.STATUS_WRONG_PASSWORD,
        NtStatus.STATUS_PASSWORD_EXPIRED,
        0xC0000064,  # STATUS_NO_SUCH_USER
        0xC000006E,  # STATUS_ACCOUNT_RESTRICTION
        0xC000006F,  # STATUS_INVALID_LOGON_HOURS
        0xC0000072,  # STATUS_ACCOUNT_DISABLED
        0xC0000193,  # STATUS_ACCOUNT_EXPIRED
        0xC0000224,  # STATUS_PASSWORD_MUST_CHANGE
        0xC0000234,  # STATUS_ACCOUNT_LOCKED_OUT
    }
)
STATUS_NAMES = {value: name for name, value in vars(NtStatus).items() if name.startswith("STATUS_")}


class Requests:
    """The one session of this process, and the handles that are open in it."""

    def __init__(self) -> None:
        self.share: Share | None = None
        self.folders: dict[int, tuple[bytes, str, bool]] = {}
        self.files: dict[int, bytes] = {}
        self.handles = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "connect":
                self.share = Share.connect(msgspec.convert(request, Target))
                return {"samba": is_samba(self.share.connection.server_guid)}
            case "list":
                folder = self._share.open_folder(request["path"])
                handle = self._next_handle()
                self.folders[handle] = (folder, request["path"], request["descriptors"])
                return {"handle": handle}
            case "page":
                return {"entries": self._page(*self.folders[request["handle"]])}
            case "open":
                file = self._share.open_file(request["path"])
                handle = self._next_handle()
                self.files[handle] = file.handle
                return {"handle": handle, **_state(file.size, file.written), "data": _base64(file.start)}
            case "read":
                return {"data": _base64(self._share.read(self.files[request["handle"]], request["offset"]))}
            case "finish":
                told = self._share.finish(self.files.pop(request["handle"]))
                return _state(*told) if told else {"size": None, "written": None}
            case "descriptors":
                return {"descriptors": [_descriptor(one) for one in self._share.descriptors(request["paths"])]}
            case "place" | "exists" as question:
                ask = self._share.place if question == "place" else self._share.exists
                return {question: ask(request["path"])}
            case "close":
                handle = request["handle"]
                opened = self.files.pop(handle, None) or self.folders.pop(handle)[0]
                self._share.close_handle(opened)
                return {}
            case "share":
                return {"share": self._share_descriptor()}
            case "accounts":
                return msgspec.to_builtins(read_accounts(self._share.open_pipe("samr")))
            case other:
                raise ValueError(f"unknown request {other!r}")

    def _page(self, folder: bytes, path: str, descriptors: bool) -> list[dict[str, Any]] | None:
        entries = self._share.list_page(folder)
        if entries is None:
            return None
        below = f"{path}\\" if path else ""
        read = self._share.descriptors([below + entry.name for entry in entries]) if descriptors else []
        return [
            {
                **_name(entry.name),
                "attributes": entry.attributes,
                **_state(entry.size, entry.written),
                "fileId": str(entry.file_id),
                "reparseTag": entry.reparse_tag,
                "descriptor": _descriptor(read[index]) if descriptors else None,
            }
            for index, entry in enumerate(entries)
        ]

    def _share_descriptor(self) -> dict[str, str] | None:
        target = self._share.target
        try:
            found = read_share_descriptor(self._share.open_pipe("srvsvc"), target.host, target.share)
        except (RpcError, SMBResponseException) as error:
            return {"error": _status_name(error.status)}
        return None if found is None else _descriptor(found)

    @property
    def _share(self) -> Share:
        if self.share is None:
            raise ValueError("not connected")
        return self.share

    def _next_handle(self) -> int:
        self.handles += 1
        return self.handles


def _name(name: str) -> dict[str, object]:
    """Windows takes halves of surrogate pairs, which no UTF-8 can hold."""
    text = name.encode("utf-8", "replace").decode()
    return {"name": text, "malformed": text != name}


def _state(size: int, written: int) -> dict[str, object]:
    """The time is larger than the numbers that the other side can hold exactly."""
    return {"size": size, "written": str(written)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _descriptor(read: bytes | int) -> dict[str, str]:
    return {"error": _status_name(read)} if isinstance(read, int) else {"data": _base64(read)}


def _status_name(status: int) -> str:
    """Programs behind a pipe refuse with Windows' own number, too."""
    return "STATUS_ACCESS_DENIED" if status == ACCESS_DENIED else STATUS_NAMES.get(status, f"0x{status:08X}")


def _error_name(error: Exception) -> str:
    """No message of the library goes out: it may quote what was signed in with."""
    if isinstance(error, SMBResponseException):
        return "SIGN_IN" if error.status in SIGN_IN_STATUSES else _status_name(error.status)
    if isinstance(error, RpcError):
        return _status_name(error.status)
    if isinstance(error, SMBAuthenticationError):
        return "SIGN_IN"
    if isinstance(error, SMBException) and "guest" in str(error):
        return "GUEST"
    if isinstance(error, SMBException) and "encryption is required" in str(error):
        return "NO_ENCRYPTION"
    if isinstance(error, SMBConnectionClosed | OSError) or "Failed to connect" in str(error):
        return "UNREACHABLE"
    return "UNREACHABLE" if isinstance(error, SMBException) and "timeout" in str(error) else "BROKEN"


def main() -> None:
    logging.disable(logging.CRITICAL)
    requests = Requests()
    try:
        while line := sys.stdin.buffer.readline(LINE_BYTES):
            request = msgspec.json.decode(line, type=dict[str, Any])
            try:
                answer = {"id": request["id"], "ok": True, **requests.answer(request)}
            except Exception as error:
                answer = {"id": request["id"], "ok": False, "error": _error_name(error)}
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # Whoever asked is gone.
    finally:
        if requests.share is not None:
            requests.share.close()


if __name__ == "__main__":
    main()
