"""Writes the binary formats of examples/documents from the readable texts in examples/source.

    python -m venv /tmp/examples-venv
    /tmp/examples-venv/bin/pip install python-docx==1.2.0 openpyxl==3.1.5 python-pptx==1.0.2 reportlab==5.1.0
    /tmp/examples-venv/bin/python examples/generate.py

A source is named after its document: `source/it/network-guide.docx.md` becomes `documents/it/network-guide.docx`. It is
written in a little Markdown: headings, paragraphs, "- " lists and tables. The same sources give the same bytes.
"""

import io
import re
import shutil
import zipfile
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from docx import Document
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import ListFlowable, Paragraph, SimpleDocTemplate, Spacer, Table

HERE = Path(__file__).parent
SOURCE = HERE / "source"
DOCUMENTS = HERE / "documents"
WRITTEN_AT = datetime(2026, 5, 18, 9, 0, tzinfo=UTC)
COMPANY = "Ostrevik Medical"

# What is broken on purpose, so that the loop has something to put into quarantine.
ENCRYPTED = "hr/pay-bands.pdf"
TRUNCATED = "hr/org-chart-2019.docx"
COPIES = {"support/drip-3-handout.md": "products/drip-3-quick-start.md"}


class Block(NamedTuple):
    """A heading (level 1 to 6), a paragraph, a list or a table, as rows of cells."""

    kind: str
    rows: list[list[str]]
    level: int = 0

    @property
    def text(self) -> str:
        return self.rows[0][0]


def read_blocks(text: str) -> list[Block]:
    return [read_block(part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def read_block(part: str) -> Block:
    lines = part.split("\n")
    if heading := re.match(r"(#{1,6}) (.+)$", part):
        return Block("heading", [[heading[2]]], len(heading[1]))
    if part.startswith("|"):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return Block("table", [rows[0], *rows[2:]])
    if part.startswith("- "):
        return Block("list", [[line.removeprefix("- ")] for line in lines])
    return Block("paragraph", [[" ".join(lines)]])


def write_docx(blocks: list[Block]) -> bytes:
    document = Document()
    document.core_properties.title = blocks[0].text
    document.core_properties.author = COMPANY
    for block in blocks:
        if block.kind == "heading":
            document.add_heading(block.text, block.level - 1)
        elif block.kind == "table":
            table = document.add_table(len(block.rows), len(block.rows[0]), style="Table Grid")
            for cells, row in zip(table.rows, block.rows, strict=True):
                for cell, text in zip(cells.cells, row, strict=True):
                    cell.text = text
        else:
            for [text] in block.rows:
                document.add_paragraph(text, style="List Bullet" if block.kind == "list" else None)
    return packed(document.save)


def write_xlsx(blocks: list[Block]) -> bytes:
    """Each second-level heading is a sheet; a table follows its notes after an empty row. Decimals are prices."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    workbook.properties.title = blocks[0].text
    workbook.properties.creator = COMPANY
    sheet = None
    for block in blocks[1:]:
        if block.kind == "heading":
            sheet = workbook.create_sheet(block.text)
        else:
            for row in block.rows:
                sheet.append([as_number(cell) for cell in row])
                for cell in sheet[sheet.max_row]:
                    cell.number_format = '0.00 "€"' if isinstance(cell.value, float) else "General"
            if block.kind == "paragraph":
                sheet.append([])
    return packed(workbook.save)


def as_number(cell: str) -> str | int | float:
    if re.fullmatch(r"\d+", cell):
        return int(cell)
    return float(cell) if re.fullmatch(r"\d+\.\d+", cell) else cell


def write_pptx(blocks: list[Block]) -> bytes:
    """The first heading is the title slide; each further one is a slide with a list or a table."""
    deck = Presentation()
    deck.core_properties.title = blocks[0].text
    deck.core_properties.author = COMPANY
    for heading, body in zip(blocks[::2], blocks[1::2], strict=True):
        layout = 0 if heading.level == 1 else 5 if body.kind == "table" else 1
        slide = deck.slides.add_slide(deck.slide_layouts[layout])
        slide.shapes.title.text = heading.text
        if body.kind == "table":
            size = Inches(0.8), Inches(2), Inches(8.4), Inches(0.5 * len(body.rows))
            table = slide.shapes.add_table(len(body.rows), len(body.rows[0]), *size).table
            for y, row in enumerate(body.rows):
                for x, text in enumerate(row):
                    table.cell(y, x).text = text
        else:
            slide.placeholders[1].text = "\n".join(text for [text] in body.rows)
    return packed(deck.save)


def write_pdf(blocks: list[Block], encryption: StandardEncryption | None = None) -> bytes:
    styles = getSampleStyleSheet()
    body = styles["BodyText"]
    body.fontSize, body.leading, body.spaceAfter = 12, 18, 7
    names = {1: "Title", 2: "Heading1", 3: "Heading2"}
    for name in names.values():
        styles[name].keepWithNext = 1
    flow = []
    for block in blocks:
        if block.kind == "heading":
            flow.append(Paragraph(block.text, styles[names[block.level]]))
        elif block.kind == "table":
            grid = [("GRID", (0, 0), (-1, -1), 0.5, colors.grey), ("FONTSIZE", (0, 0), (-1, -1), 11)]
            head = ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")
            flow += [Table(block.rows, style=[*grid, head], hAlign="LEFT"), Spacer(0, 5 * mm)]
        elif block.kind == "list":
            flow.append(ListFlowable([Paragraph(text, body) for [text] in block.rows], bulletType="bullet"))
        else:
            flow.append(Paragraph(block.text, body))

    def footer(canvas, document) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(25 * mm, 12 * mm, COMPANY)
        canvas.drawRightString(185 * mm, 12 * mm, f"Page {document.page}")

    out = io.BytesIO()
    margins = {"leftMargin": 25 * mm, "rightMargin": 25 * mm, "topMargin": 25 * mm, "bottomMargin": 25 * mm}
    document = SimpleDocTemplate(
        out, pagesize=A4, title=blocks[0].text, author=COMPANY, invariant=1, encrypt=encryption, **margins
    )
    document.build(flow, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


def write_eml(text: str, folder: Path) -> bytes:
    """Header lines, an empty line, the body; `Attach` names a file beside the source."""
    head, body = text.split("\n\n", 1)
    fields = dict(line.split(": ", 1) for line in head.split("\n"))
    message = EmailMessage(policy=SMTP)
    message["Subject"] = fields["Subject"]
    for name in ("From", "To", "Cc"):
        if name in fields:
            message[name] = [Address(label, addr_spec=spec) for label, spec in getaddresses([fields[name]])]
    message["Date"] = parsedate_to_datetime(fields["Date"])
    message["Message-ID"] = f"<{parsedate_to_datetime(fields['Date']):%Y%m%d%H%M}@ostrevik.example>"
    message.set_content(body)
    if "Attach" in fields:
        attached = (folder / fields["Attach"]).read_text("utf-8")
        message.add_attachment(attached, subtype="csv", filename=fields["Attach"])
        message.set_boundary("ostrevik-boundary")
    return message.as_bytes()


def packed(save) -> bytes:
    """The archive that `save` writes, with the same time in every entry."""
    draft = io.BytesIO()
    save(draft)
    stamp = f"{WRITTEN_AT:%Y-%m-%dT%H:%M:%SZ}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(draft) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as write:
        for entry in read.infolist():
            data = read.read(entry)
            if entry.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            info = zipfile.ZipInfo(entry.filename, WRITTEN_AT.timetuple()[:6])
            write.writestr(info, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def write_document(source: Path) -> None:
    name = source.relative_to(SOURCE).with_suffix("").as_posix()
    text = source.read_text("utf-8")
    match Path(name).suffix:
        case ".docx":
            data = write_docx(read_blocks(text))
        case ".xlsx":
            data = write_xlsx(read_blocks(text))
        case ".pptx":
            data = write_pptx(read_blocks(text))
        case ".pdf":
            locked = StandardEncryption("heron", "heron-owner", strength=128) if name == ENCRYPTED else None
            data = write_pdf(read_blocks(text), locked)
        case ".eml":
            data = write_eml(text, source.parent)
        case suffix:
            raise ValueError(f"{source}: no writer for {suffix}")
    if name == TRUNCATED:
        data = data[: len(data) // 2]
    target = DOCUMENTS / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    print(f"{name}  {len(data):,} bytes")


if __name__ == "__main__":
    for path in sorted(SOURCE.glob("*/*.*.*")):
        if path.suffix in {".md", ".txt"}:
            write_document(path)
    for copy, original in COPIES.items():
        shutil.copyfile(DOCUMENTS / original, DOCUMENTS / copy)
