"""python -m sidecars.main_content < pages.ndjson

A line `{"id", "html", "url"}` in gives a line `{"id", "ok": true, "title", "text_markdown"}` or
`{"id", "ok": false, "error"}` out, in the same order, until the input ends.
"""

import argparse
import sys
from typing import BinaryIO

import msgspec

from sidecars.main_content.extract import Content, Page
from sidecars.main_content.worker import ExtractionWorker


class PageLine(msgspec.Struct):
    id: str | int
    html: str
    url: str | None = None


class IdOnly(msgspec.Struct):
    id: str | int


def main() -> None:
    parser = argparse.ArgumentParser(prog="sidecars.main_content", description="Main content of web pages as Markdown.")
    parser.add_argument("--timeout-s", type=float, default=20.0, help="time for one page")
    parser.add_argument("--max-line-bytes", type=int, default=10_000_000, help="size of one line, and so of one page")
    arguments = parser.parse_args()
    worker = ExtractionWorker(arguments.timeout_s)
    try:
        while line := sys.stdin.buffer.readline(arguments.max_line_bytes + 1):
            if len(line) > arguments.max_line_bytes:
                _skip_line(sys.stdin.buffer, line)
                answer = _failure(None, f"The line is larger than {arguments.max_line_bytes} bytes.")
            elif line.isspace():
                continue
            else:
                answer = _answer(line, worker)
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # Whoever asked is gone.
    finally:
        worker.stop()


def _answer(line: bytes, worker: ExtractionWorker) -> dict[str, object]:
    try:
        page = msgspec.json.decode(line, type=PageLine)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _failure(_find_id(line), f"The line is not a page: {error}.")
    result = worker.extract(Page(page.html, page.url))
    if isinstance(result, Content):
        return {"id": page.id, "ok": True, "title": result.title, "text_markdown": result.text_markdown}
    return _failure(page.id, result)


def _failure(page_id: str | int | None, error: str) -> dict[str, object]:
    return {"id": page_id, "ok": False, "error": error}


def _find_id(line: bytes) -> str | int | None:
    try:
        return msgspec.json.decode(line, type=IdOnly).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _skip_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(1 << 20)


if __name__ == "__main__":
    main()
