"""Where the content stands on a page that does not say so, and what of it an extractor lost."""

import re
from collections import Counter
from collections.abc import Collection, Iterable

from lxml.etree import SubElement, _Element

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
ITEMS = frozenset({"li", "dt", "dd"})
LINES = HEADINGS | ITEMS | {"p", "blockquote"}
# These say of themselves that they are the content.
NAMED = frozenset({"main", "article"})
BLOCKS = LINES | NAMED | {"div", "section", "pre", "ul", "ol", "dl", "table", "td", "th"}
# An element that holds less than this of what was found is only a part of the content.
MIN_SHARE = 0.9
# With less than this of the words that were found before, something else was found.
MIN_KEPT_SHARE = 0.75
# Links make up more than this of a line of a menu.
MAX_LINKED_SHARE = 0.5

# "heading", "item" or "text", and its words.
Line = tuple[str, str]


def find_content_block(body: _Element, found: Iterable[str]) -> _Element | None:
    """
    The smallest element that holds nearly all texts that an extractor found on a page, and the heading beside them;
    None where no text stands there as it was found.
    """
    texts = {words_of(text) for text in found}
    sizes = dict.fromkeys(body.iter("*"), 0)
    for element in reversed(sizes):
        if element.tag in BLOCKS and _is_innermost(element, BLOCKS) and (words := _words_in(element)) in texts:
            sizes[element] = len(words)
        parent = element.getparent()
        if parent in sizes:
            sizes[parent] += sizes[element]
    if sizes[body] == 0:
        return None
    block = body
    while (inner := _holder(block, sizes)) is not None and (inner.tag in NAMED or not _is_headed(inner)):
        block = inner
    return block


def lines_of(block: _Element) -> Counter[Line]:
    """Its headings, list items and paragraphs, each as often as it stands there; those of menus do not count."""
    return Counter(
        (_kind_of(element), words)
        for element in block.iter(*LINES)
        if _is_innermost(element, LINES) and (words := _words_in(element)) and not _is_linked(element, words)
    )


def lines_of_markdown(text: str) -> Counter[Line]:
    """The same of what an extractor wrote."""
    return Counter(_markdown_line(line) for line in _unescape(text).splitlines())


def keeps(again: str, found: str) -> bool:
    """Whether an extractor wrote most words again that were found before; the rest may be a menu's."""
    before, after = (Counter(words_of(_unescape(text)).split()) for text in (found, again))
    return (before & after).total() >= MIN_KEPT_SHARE * before.total()


def size_of(lines: Counter[Line]) -> int:
    return sum(len(words) * count for (_, words), count in lines.items())


def name_content(block: _Element) -> None:
    """Puts all that a block holds into an <article>, which extractors know."""
    children = list(block)
    article = SubElement(block, "article")
    article.text, block.text = block.text, None
    article.extend(children)


def words_of(text: str) -> str:
    """Words alone, so that marks of emphasis and white space make no difference."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _unescape(markdown: str) -> str:
    return re.sub(r"\\(?=[\W_])", "", markdown)


def _markdown_line(line: str) -> Line:
    mark = re.match(r"\s*(?:(#+)|-|\d+\.)\s", line)
    if mark is None:
        return "text", words_of(line)
    return "heading" if mark[1] else "item", words_of(line[mark.end() :])


def _holder(block: _Element, sizes: dict[_Element, int]) -> _Element | None:
    least = MIN_SHARE * sizes[block]
    return next((child for child in block if sizes.get(child, 0) >= least and child.tag not in LINES), None)


def _is_headed(block: _Element) -> bool:
    """Whether a heading stands above it and beside it; then the content is what holds both."""
    return any(element.tag in HEADINGS for element in block.itersiblings("*", preceding=True))


def _is_innermost(element: _Element, tags: Collection[str]) -> bool:
    return next(element.iterdescendants(*tags), None) is None


def _kind_of(element: _Element) -> str:
    if element.tag in HEADINGS:
        return "heading"
    return "item" if element.tag in ITEMS or next(element.iterancestors(*ITEMS), None) is not None else "text"


def _is_linked(element: _Element, words: str) -> bool:
    return sum(len(_words_in(link)) for link in element.iter("a")) > MAX_LINKED_SHARE * len(words)


def _words_in(element: _Element) -> str:
    return words_of("".join(element.itertext()))
