"""The SMB program as its caller runs it, without a server; with one it is tested beside the connector."""

import json
import socket
import struct
import subprocess
import sys
import uuid

import pytest

from sidecars.smb.rpc import Reader, RpcError
from sidecars.smb.share import is_samba

from .conftest import ENVIRONMENT


def run(*requests: dict[str, object]) -> list[dict[str, object]]:
    finished = subprocess.run(
        [sys.executable, "-m", "sidecars.smb"],
        input="\n".join(json.dumps({"id": index, **request}) for index, request in enumerate(requests)),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def connect(port: int) -> dict[str, object]:
    target = {"address": "127.0.0.1", "host": "files.example.com", "port": port, "share": "docs"}
    return {"op": "connect", **target, "user": "ann", "password": "very-secret", "encrypt": True, "timeout_s": 5.0}


def test_says_that_nobody_is_there_and_goes_on() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Bound and not listened on: whoever connects is refused.
        answers = run(connect(taken.getsockname()[1]), {"op": "page", "handle": 1}, {"op": "nonsense"})
    assert answers == [
        {"id": 0, "ok": False, "error": "UNREACHABLE"},
        {"id": 1, "ok": False, "error": "BROKEN"},
        {"id": 2, "ok": False, "error": "BROKEN"},
    ]


def test_reads_names_whose_texts_follow_behind_the_list() -> None:
    heads = struct.pack("<IIII", 0x20000, 2, 0x20004, 2)
    entries = struct.pack("<IHHI", 500, 6, 6, 0x20008) + struct.pack("<IHHI", 501, 0, 0, 0)
    text = struct.pack("<III", 3, 0, 3) + "änn".encode("utf-16-le") + b"\0\0"
    reader = Reader(heads + entries + text + struct.pack("<II", 2, 0))
    assert reader.named() == [(500, "änn"), (501, "")]
    assert reader.u32() == 2
    assert reader.check() == 0


@pytest.mark.parametrize(
    ("guid", "expected"),
    [
        (b"files", True),
        (b"fifteen-letters", True),
        (b"", False),
        (b"sixteen-letters!", False),
        (bytes.fromhex("66696c65737f"), False),
        (bytes.fromhex("3f2504e04f8941d39a0c0305e82c3301"), False),
    ],
)
def test_knows_samba_by_the_name_in_place_of_a_number(guid: bytes, expected: bool) -> None:
    assert is_samba(uuid.UUID(bytes=guid.ljust(16, b"\0"))) is expected


def test_reads_sids_and_refuses_an_answer_that_is_an_error() -> None:
    sid = struct.pack("<IBB", 2, 1, 2) + (5).to_bytes(6) + struct.pack("<II", 32, 545)
    reader = Reader(struct.pack("<IIII", 1, 0x20000, 1, 0x20004) + sid + struct.pack("<I", 0xC0000022))
    assert reader.sids() == ["S-1-5-32-545"]
    with pytest.raises(RpcError) as refused:
        reader.check()
    assert refused.value.status == 0xC0000022
