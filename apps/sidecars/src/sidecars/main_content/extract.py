"""What runs in the worker process: one page at a time, by trafilatura."""

import logging
import resource
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from sidecars.main_content.content_block import (
    find_content_block,
    keeps,
    lines_of,
    lines_of_markdown,
    name_content,
    size_of,
)

MEMORY_LIMIT_BYTES = 2 * 1024**3
# Of the headings, list items and paragraphs of a page of which nothing was found as it stands there.
MAX_LOST_SHARE = 0.5
NOTHING = "No main content was found on the page."


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
    """
    Keeps headings, tables, lists and the words of links; leaves out comments, images and link targets.

    On a page that does not say where its content stands trafilatura gathers paragraphs, each text once, and no headings
    or lists. These paragraphs tell where the content stands, and then all that stands there is extracted.
    """
    tree = trafilatura.load_html(page.html)
    document = _extract(tree, page.url, trafilatura, with_metadata=True)  # For the title.
    if document is None:
        return NOTHING
    content = Content(document.title, document.text.strip())
    body = tree.find(".//body")
    if body is None:
        return content
    found = lines_of_markdown(content.text_markdown)
    block = find_content_block(body, ("".join(part.itertext()) for part in document.body.iter("*")))
    there = lines_of(body if block is None else block)
    lost = size_of(there - found)
    if block is None:
        # It ran the whole page together, menus included.
        return NOTHING if lost > MAX_LOST_SHARE * size_of(there) else content
    if lost > 0:
        name_content(block)
        # Without its other algorithms, which look for the place.
        again = _extract(tree, page.url, trafilatura, fast=True)
        if again and keeps(again.text, document.text) and size_of(there - lines_of_markdown(again.text)) < lost:
            return Content(document.title, again.text.strip())
    return content


def _extract(tree: Any, url: str | None, trafilatura: Any, **how: bool) -> Any | None:
    document = trafilatura.bare_extraction(
        tree,
        url=url,
        date_extraction_params={"extensive_search": False, "original_date": False},
        include_formatting=True,  # As Markdown.
        include_tables=True,
        include_links=False,
        include_images=False,
        include_comments=False,
        **how,
    )
    return document if document and document.text and document.text.strip() else None
