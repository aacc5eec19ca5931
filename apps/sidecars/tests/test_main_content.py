"""Main content over the real tool, as its caller runs it."""

import json
import re
import subprocess
import sys
import time
from multiprocessing.connection import Connection

from sidecars.main_content.extract import Content, Page
from sidecars.main_content.worker import ExtractionWorker

from .conftest import ENVIRONMENT

ARTICLE = """
<h1>Resetting a badge</h1>
<p>A badge is reset at the front desk with its holder present. The desk writes the reset into the register, and the old
badge number is never given out again, because the doors keep it in their memory for another ninety days.</p>
<h2>Fees</h2>
<table><tr><th>Kind</th><th>Fee</th></tr><tr><td>Visitor</td><td>12 euros</td></tr></table>
<p>Read the <a href="/policy">access policy</a> first. It is kept by the security office, which changes it twice a year
and tells every department about the change at least a week before it takes effect.</p>
"""
PAGE = f"""<html><head><title>Resetting a badge</title><script>track()</script></head><body>
<nav><ul><li><a href="/products">All products</a></li><li><a href="/careers">Careers</a></li></ul></nav>
<main><article>{ARTICLE}</article></main>
<div class="comments"><div class="comment"><p>First! What a lovely page.</p></div></div>
<footer><p>Imprint, cookie settings, newsletter</p></footer></body></html>"""


def run(lines: list[str], *arguments: str) -> list[dict[str, object]]:
    finished = subprocess.run(
        [sys.executable, "-m", "sidecars.main_content", *arguments],
        input="\n".join(lines),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def line(page_id: object, html: object) -> str:
    return json.dumps({"id": page_id, "html": html, "url": "https://example.com/badges"})


def test_the_article_stays_and_what_surrounds_it_goes() -> None:
    (answer,) = run([line("a", PAGE)])
    assert (answer["id"], answer["ok"], answer["title"]) == ("a", True, "Resetting a badge")
    text = answer["text_markdown"]
    assert text.startswith("# Resetting a badge")
    assert "## Fees" in text
    assert "| Visitor | 12 euros |" in text
    assert "Read the access policy first." in text
    for surrounding in ("All products", "Careers", "First!", "cookie settings", "track()", "---\ntitle"):
        assert surrounding not in text


SENTENCE = "The valve at station {} was inspected by the team of the night shift and needs a new gasket before winter."
PLAIN = f"""<h2>Purpose</h2><p>{SENTENCE.format(1)} {SENTENCE.format(2)}</p><p>Approved.</p>
<h2>Steps for the night shift</h2>
<ol><li>Open it slowly.</li><li>Call the porter and <b>wait</b> for his word.</li></ol>
<dl><dt>North door</dt><dd>Opened at six.</dd></dl><p>Approved.</p><p>{SENTENCE.format(3)}</p><p>Approved.</p>"""
MENU = '<ul><li><a href="/">Home</a></li><li><a href="/p">Products</a></li><li><a href="/c">Careers</a></li></ul>'
TEASERS = f"<div><h3>Read next</h3>{'<div><a href=/s>Story of the day</a></div>' * 9}</div>"
HOLDERS = {
    "body": ("", ""),
    "div": ("<div>", "</div>"),
    "div of a class": ('<div class="page">', "</div>"),
    "section": ("<section>", "</section>"),
    "column beside teasers": ("<div><div>", f"</div>{TEASERS}</div>"),
    "cell": ("<table><tr><td>", "</td></tr></table>"),
    "main": ("<div><main>", "</main></div>"),
    "named": ('<div id="content">', "</div>"),
}


def test_headings_lists_and_repeated_lines_stay_whatever_holds_them() -> None:
    answers = run(
        [
            line(name, f"<html><body>{MENU}{before}{PLAIN}{after}</body></html>")
            for name, (before, after) in HOLDERS.items()
        ]
    )
    assert [answer["id"] for answer in answers] == list(HOLDERS)
    for answer in answers:
        text = str(answer["text_markdown"])
        assert re.findall(r"^(?:#|\d|-|Approved).*", text, re.MULTILINE) == [
            "## Purpose",
            "Approved.",
            "## Steps for the night shift",
            "1. Open it slowly.",
            "2. Call the porter and **wait** for his word.",
            "- North door",
            "- Opened at six.",
            "Approved.",
            "Approved.",
        ], answer["id"]
        assert [text.count(f"station {n} ") for n in (1, 2, 3)] == [1, 1, 1], answer["id"]
        assert not re.search("Home|Careers|Story", text), answer["id"]


def test_a_heading_above_the_content_belongs_to_it() -> None:
    (answer,) = run([line("a", f"<html><body>{MENU}<h1>Runbook</h1><div>{PLAIN}</div></body></html>")])
    assert str(answer["text_markdown"]).startswith("# Runbook\n\n## Purpose")


def test_a_page_that_would_be_run_together_with_its_menu_is_left_to_others() -> None:
    doors = "<h1>Doors</h1><ul><li>North: opened at six</li><li>South: never opened</li></ul>"
    (answer,) = run([line("a", f"<html><body>{MENU}{doors}</body></html>")])
    assert (answer["ok"], answer["error"]) == (False, "No main content was found on the page.")


def test_any_input_gets_an_answer_in_order() -> None:
    lines = [
        line(1, PAGE),
        "not json",
        json.dumps({"id": "no-html"}),
        line(3, 7),
        line(4, ""),
        line(5, "<div>" * 100_000),
        line(6, "\x00\x01\x02"),
        line(7, "<!DOCTYPE html [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><p>&b;</p>"),
        line(8, "x" * 3_000_000),
        "[" * 50_000,
        "",
        line(9, PAGE),
    ]
    answers = run(lines, "--max-line-bytes", "2000000")
    assert [answer["id"] for answer in answers] == [1, None, "no-html", 3, 4, 5, 6, 7, None, None, 9]
    assert answers[0]["ok"]
    assert answers[-1]["ok"]
    for answer in answers:
        assert answer["ok"] or str(answer["error"]).endswith(".")
    assert answers[8]["error"] == "The line is larger than 2000000 bytes."


def _worker_that_misbehaves(connection: Connection) -> None:
    connection.send("started")
    while True:
        page = connection.recv()
        if page.html == "loop":
            time.sleep(3600)
        if page.html == "die":
            sys.exit(1)
        connection.send(Content(None, page.html))


def test_a_page_that_never_ends_and_one_that_kills_the_process_do_not_stop_the_next() -> None:
    worker = ExtractionWorker(timeout_s=1, run=_worker_that_misbehaves)
    try:
        assert worker.extract(Page("loop", None)) == "The page took longer than 1 s."
        assert worker.extract(Page("fine", None)) == Content(None, "fine")
        assert "ended the extraction" in str(worker.extract(Page("die", None)))
        assert worker.extract(Page("fine", None)) == Content(None, "fine")
    finally:
        worker.stop()
