/** One piece of text on a page; y counts from the bottom in points, as PDF does. */
export type PlacedText = {
  x: number;
  y: number;
  text: string;
  size?: number;
  font?: "regular" | "bold" | "mono";
};

/** A picture over a whole page. */
export type PageImage = {
  data: Uint8Array;
  width: number;
  height: number;
  filter: "DCTDecode" | "CCITTFaxDecode" | "JPXDecode";
};

const fonts = { regular: "Helvetica", bold: "Helvetica-Bold", mono: "Courier" };
const fontNames = { regular: "F1", bold: "F2", mono: "F3" };

/** A PDF 1.4 file of A4 pages, written by hand so that each test states exactly what stands where. */
export function writePdf(
  pages: readonly (readonly PlacedText[])[],
  options: {
    title?: string;
    outline?: { title: string; page: number }[];
    encrypt?: boolean;
    /** By the number of their page. */
    images?: ReadonlyMap<number, PageImage>;
    /** Their dictionaries, by the number of their page; /Rect stands in them. */
    annotations?: ReadonlyMap<number, readonly string[]>;
    attachments?: readonly { name: string; content: string | Uint8Array }[];
  } = {},
): Uint8Array {
  const objects: string[] = [];
  const add = (body: string) => objects.push(body);
  const outline = options.outline ?? [];
  const images = [...(options.images ?? [])];
  const firstPage = 6;
  const firstImage = firstPage + pages.length * 2;
  const firstOutline = firstImage + images.length;
  const attachments = options.attachments ?? [];
  const firstAttachment = firstOutline + (outline.length > 0 ? outline.length + 1 : 0);
  const names = attachments.map(({ name }, index) => `(${escape(name)}) ${firstAttachment + index * 2} 0 R`);
  const files = attachments.length > 0 ? ` /Names << /EmbeddedFiles << /Names [${names.join(" ")}] >> >>` : "";
  const annotations = options.annotations ?? new Map<number, readonly string[]>();
  const form = " /AcroForm << /Fields [] /DA (/F1 10 Tf 0 g) /DR << /Font << /F1 3 0 R >> >> >>";
  add(
    `<< /Type /Catalog /Pages 2 0 R${outline.length > 0 ? ` /Outlines ${firstOutline} 0 R` : ""}${annotations.size > 0 ? form : ""}${files} >>`,
  );
  add(
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, index) => `${firstPage + index * 2} 0 R`).join(" ")}] >>`,
  );
  for (const font of Object.values(fonts))
    add(`<< /Type /Font /Subtype /Type1 /BaseFont /${font} /Encoding /WinAnsiEncoding >>`);
  for (const [index, page] of pages.entries()) {
    const image = images.findIndex(([number]) => number === index + 1);
    const drawn = image === -1 ? "" : "q 595 0 0 842 0 0 cm /Im Do Q\n";
    const words = page
      .map(
        ({ x, y, text, size = 10, font = "regular" }) =>
          `BT /${fontNames[font]} ${size} Tf 1 0 0 1 ${x} ${y} Tm (${escape(text)}) Tj ET`,
      )
      .join("\n");
    const content = drawn + words;
    const annotated = (annotations.get(index + 1) ?? []).map((dictionary) => `<< /Type /Annot ${dictionary} >>`);
    const pictures = image === -1 ? "" : ` /XObject << /Im ${firstImage + image} 0 R >>`;
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${firstPage + index * 2 + 1} 0 R ` +
        `/Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >>${pictures} >>` +
        `${annotated.length > 0 ? ` /Annots [${annotated.join(" ")}]` : ""} >>`,
    );
    add(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
  }
  for (const [, { data, width, height, filter }] of images) {
    const isFax = filter === "CCITTFaxDecode";
    const parameters = isFax ? ` /DecodeParms << /K -1 /Columns ${width} /Rows ${height} >>` : "";
    const colours = isFax
      ? "/ColorSpace /DeviceGray /BitsPerComponent 1"
      : "/ColorSpace /DeviceRGB /BitsPerComponent 8";
    add(
      `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} ${colours} /Filter /${filter}${parameters} /Length ${data.length} >>\n` +
        `stream\n${Buffer.from(data).toString("latin1")}\nendstream`,
    );
  }
  if (outline.length > 0) {
    add(
      `<< /Type /Outlines /First ${firstOutline + 1} 0 R /Last ${firstOutline + outline.length} 0 R /Count ${outline.length} >>`,
    );
    for (const [index, item] of outline.entries()) {
      const next = index + 1 < outline.length ? ` /Next ${firstOutline + index + 2} 0 R` : "";
      const previous = index > 0 ? ` /Prev ${firstOutline + index} 0 R` : "";
      add(
        `<< /Title (${escape(item.title)}) /Parent ${firstOutline} 0 R /Dest [${firstPage + (item.page - 1) * 2} 0 R /Fit]${next}${previous} >>`,
      );
    }
  }
  for (const [index, { name, content }] of attachments.entries()) {
    const file = Buffer.from(content);
    add(
      `<< /Type /Filespec /F (${escape(name)}) /UF (${escape(name)}) /EF << /F ${firstAttachment + index * 2 + 1} 0 R >> >>`,
    );
    add(`<< /Type /EmbeddedFile /Length ${file.length} >>\nstream\n${file.toString("latin1")}\nendstream`);
  }
  add(`<< /Title (${escape(options.title ?? "")}) >>`);
  const info = objects.length;

  let file = "%PDF-1.4\n";
  const offsets = objects.map((body, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const start = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")}`;
  // Password hashes that no password has: the file asks for one.
  const encrypt =
    options.encrypt === true
      ? ` /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${"41".repeat(32)}> /U <${"42".repeat(32)}> >>`
      : "";
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${info} 0 R /ID [<${"00".repeat(16)}> <${"00".repeat(16)}>]${encrypt} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}

/** Lines below each other, 12 points apart. */
export function lines(
  x: number,
  top: number,
  texts: readonly string[],
  style: Omit<PlacedText, "x" | "y" | "text"> = {},
): PlacedText[] {
  return texts.map((text, index) => ({ x, y: top - index * 12, text, ...style }));
}

function escape(text: string): string {
  return text.replace(/[\\()]/gu, String.raw`\$&`);
}
