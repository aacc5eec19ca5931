"""One timed run of the peer, PyPI trafilatura: python extraction_peer.py pages.json result.json

Each page from HTML to text with `trafilatura.extract`, as its documentation begins; and once more without comments,
which a page's main content is without.
"""

import json
import logging
import sys
import time

import trafilatura


def run(pages: list[str], **settings: bool) -> dict[str, object]:
    started_at = time.perf_counter()
    texts = [trafilatura.extract(page, **settings) or "" for page in pages]
    return {"texts": texts, "seconds": time.perf_counter() - started_at}


def main() -> None:
    pages_path, result_path = sys.argv[1:3]
    logging.disable(logging.CRITICAL)
    with open(pages_path, encoding="utf-8") as file:
        pages = json.load(file)
    trafilatura.extract(pages[0])  # What it loads on the first page is not counted.
    result = {
        "version": trafilatura.__version__,
        "default": run(pages),
        "withoutComments": run(pages, include_comments=False),
    }
    with open(result_path, "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
