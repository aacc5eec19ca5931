"""python write_descriptors.py < targets.ndjson: sets the access lists of files on a share, for tests.

The first line says where to sign in, as `python -m sidecars.smb` takes it; each line after it is `{"path", "data"}`
with a security descriptor in base64, and is answered by `{"ok": true}` or `{"ok": false, "error"}`.
"""

import base64
import json
import sys

from smbprotocol.file_info import InfoType
from smbprotocol.open import CreateOptions, SMB2SetInfoRequest

from sidecars.smb.share import Share, Target, create_request

WRITE_DAC = 0x40000
DACL = 0x4


def set_descriptor(share: Share, path: str, descriptor: bytes) -> None:
    handle = share._open(create_request(path, WRITE_DAC, CreateOptions.FILE_OPEN_REPARSE_POINT))
    change = SMB2SetInfoRequest()
    change["info_type"] = InfoType.SMB2_0_INFO_SECURITY
    change["additional_information"] = DACL
    change["file_id"] = handle
    change["buffer"] = descriptor
    try:
        share.receive(share._send(change))
    finally:
        share.close_handle(handle)


def main() -> None:
    share = Share.connect(Target(**json.loads(sys.stdin.readline())))
    for line in sys.stdin:
        request = json.loads(line)
        try:
            set_descriptor(share, request["path"], base64.b64decode(request["data"]))
            answer = {"ok": True}
        except Exception as error:
            answer = {"ok": False, "error": str(error)}
        print(json.dumps(answer), flush=True)
    share.close()


main()
