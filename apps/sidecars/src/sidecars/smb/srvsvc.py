"""Whom a share as a whole admits, by the server service protocol ([MS-SRVS]) over a named pipe."""

import struct
import uuid

from sidecars.smb.rpc import Rpc, RpcError, text_argument, text_pointer
from sidecars.smb.share import Pipe

SRVSVC = uuid.UUID("4b324fc8-1670-01d3-1278-5a47bf6ee188")
GET_INFO = 16
LEVEL = 502


def read_share_descriptor(pipe: Pipe, host: str, share: str) -> bytes | None:
    """The share's own security descriptor; None where it has none and admits everybody.

    Raises RpcError, with Windows' number for "access denied", where the server tells it to administrators only.
    """
    rpc = Rpc(pipe, SRVSVC, 3)
    reader = rpc.call(GET_INFO, text_pointer(rf"\\{host}") + text_argument(share) + struct.pack("<I", LEVEL))
    reader.u32()
    if not reader.pointer():
        raise RpcError(reader.u32())
    # SHARE_INFO_502, [MS-SRVS] 2.2.4.26: the texts of its pointers follow behind it, in order.
    name, _kind, remark, _permissions, _most, _current, path, password, _reserved, descriptor = (
        reader.u32() for _ in range(10)
    )
    for present in (name, remark, path, password):
        if present:
            reader.text(0)
    found = reader.blob() if descriptor else None
    reader.check()
    return found
