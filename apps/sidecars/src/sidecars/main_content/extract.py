"""What runs in the worker process: one page at a time, by trafilatura."""

import logging
import resource
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

MEMORY_LIMIT_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Page:
    html: str
    url: str | None


@dataclass(frozen=True)
class Content:
    title: str | None
    text_markdown: str


def run_worker(connection: Connection) -> None:
    """Answers each Page with a Content, or with a sentence saying why there is none. Ends when the other side does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    logging.disable(logging.CRITICAL)  # It would quote the page.
    import trafilatura  # noqa: PLC0415  Only the worker pays for it.

    connection.send("started")
    while True:
        try:
            page = connection.recv()
        except EOFError:
            return
        try:
            connection.send(extract_content(page, trafilatura))
        except Exception as error:
            connection.send(f"The page cannot be read: {type(error).__name__}.")


def extract_content(page: Page, trafilatura: Any) -> Content | str:
    """Keeps headings, tables, lists and the words of links; leaves out comments, images and link targets."""
    document = trafilatura.bare_extraction(
        page.html,
        url=page.url,
        with_metadata=True,  # For the title.
        date_extraction_params={"extensive_search": False, "original_date": False},
        include_formatting=True,  # As Markdown.
        include_tables=True,
        include_links=False,
        include_images=False,
        include_comments=False,
    )
    text = document.text.strip() if document and document.text else ""
    return Content(document.title, text) if text else "No main content was found on the page."
