"""The accounts of a server, and who is in its groups, by the SAMR protocol ([MS-SAMR]) over a named pipe."""

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from sidecars.smb.rpc import Rpc, text_pointer
from sidecars.smb.share import Pipe

SAMR = uuid.UUID("12345778-1234-abcd-ef00-0123456789ac")
MORE_ENTRIES = 0x105
ANY_ACCOUNT = 0
ACCOUNT_DISABLED = 0x1
NORMAL_ACCOUNT = 0x10


@dataclass(frozen=True)
class Account:
    sid: str
    name: str


@dataclass(frozen=True)
class Group:
    sid: str
    name: str
    members: list[str]


@dataclass
class Accounts:
    users: list[Account] = field(default_factory=list)
    # SIDs of accounts that are no person's: disabled ones, and those of machines.
    others: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def read_accounts(pipe: Pipe) -> Accounts:
    """Every account, group and alias of every domain of the server (its own, and Builtin)."""
    rpc = Rpc(pipe, SAMR, 1)
    server = rpc.call(57, text_pointer("\\\\") + struct.pack("<I", 0x31)).handle()
    accounts = Accounts()
    for _rid, name in _enumerate(rpc, 6, server, b""):
        reader = rpc.call(5, server + _unicode_string(name))
        reader.pointer()
        domain_sid = reader.sid()
        reader.check()
        domain = rpc.call(7, server + struct.pack("<I", 0x300) + _sid_bytes(domain_sid)).handle()
        _read_domain(rpc, domain, domain_sid, accounts)
        rpc.call(1, domain)
    rpc.call(1, server)
    return accounts


def _read_domain(rpc: Rpc, domain: bytes, domain_sid: str, accounts: Accounts) -> None:
    disabled = {rid for rid, _name in _enumerate(rpc, 13, domain, struct.pack("<I", ACCOUNT_DISABLED))}
    enabled = set()
    for rid, name in _enumerate(rpc, 13, domain, struct.pack("<I", NORMAL_ACCOUNT)):
        if rid not in disabled:
            enabled.add(rid)
            accounts.users.append(Account(f"{domain_sid}-{rid}", name))
    for rid, _name in _enumerate(rpc, 13, domain, struct.pack("<I", ANY_ACCOUNT)):
        if rid not in enabled:
            accounts.others.append(f"{domain_sid}-{rid}")
    for rid, name in _enumerate(rpc, 11, domain, b""):
        group = rpc.call(19, domain + struct.pack("<II", 0x10, rid)).handle()
        reader = rpc.call(25, group)
        members = [f"{domain_sid}-{member}" for member in reader.members()]
        reader.check()
        rpc.call(1, group)
        accounts.groups.append(Group(f"{domain_sid}-{rid}", name, members))
    for rid, name in _enumerate(rpc, 15, domain, b""):
        alias = rpc.call(27, domain + struct.pack("<II", 0x4, rid)).handle()
        reader = rpc.call(33, alias)
        sids = reader.sids()
        reader.check()
        rpc.call(1, alias)
        accounts.groups.append(Group(f"{domain_sid}-{rid}", name, sids))


def _enumerate(rpc: Rpc, operation: int, handle: bytes, filter_bytes: bytes) -> Iterator[tuple[int, str]]:
    position = 0
    while True:
        arguments = handle + struct.pack("<I", position) + filter_bytes + struct.pack("<I", 0xFFFF)
        reader = rpc.call(operation, arguments)
        position = reader.u32()
        yield from reader.named()
        reader.u32()
        if reader.check(MORE_ENTRIES) != MORE_ENTRIES:
            return


def _unicode_string(text: str) -> bytes:
    data = text.encode("utf-16-le")
    count = len(data) // 2
    head = struct.pack("<HHI", len(data), len(data), 0x20000)
    return head + struct.pack("<III", count, 0, count) + data + b"\0" * (-len(data) % 4)


def _sid_bytes(sid: str) -> bytes:
    _s, revision, authority, *parts = sid.split("-")
    head = struct.pack("<IBB", len(parts), int(revision), len(parts)) + int(authority).to_bytes(6)
    return head + struct.pack(f"<{len(parts)}I", *map(int, parts))
