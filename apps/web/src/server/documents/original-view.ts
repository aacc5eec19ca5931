const textTypes = new Set([
  "application/json",
  "application/x-ndjson",
  "application/xml",
  "message/rfc822",
  "text/csv",
  "text/markdown",
  "text/plain",
  "text/tab-separated-values",
  "text/x-markdown",
  "text/xml",
]);
const imageTypes = new Set(["image/gif", "image/jpeg", "image/png", "image/webp"]);
const pageTypes = new Set(["application/xhtml+xml", "text/html"]);

/** Larger texts and web pages make the browser slow; they are offered to be saved. */
const maxTextBytes = 8 * 1024 ** 2;

export type OriginalView = "pdf" | "image" | "page" | "text";

/** How a browser may show an original beside its text; null where it is only ever saved. */
export function originalViewOf(document: { mediaType: string | null; sizeBytes: number | null }): OriginalView | null {
  const type = document.mediaType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/pdf") return "pdf";
  if (imageTypes.has(type)) return "image";
  if ((document.sizeBytes ?? 0) > maxTextBytes) return null;
  if (pageTypes.has(type)) return "page";
  return textTypes.has(type) ? "text" : null;
}

/**
 * The headers under which hostile bytes may be shown: the type is ours and not guessed from them, no script runs, no
 * form is sent, nothing is loaded from anywhere, and the document has an origin of its own. A PDF is opened by the
 * browser's viewer, which does not start in a sandbox and keeps it apart itself. `frame-ancestors` outranks the
 * X-Frame-Options of every answer.
 */
export function originalViewHeaders(view: OriginalView, mediaType: string | null): Record<string, string> {
  const types = {
    pdf: "application/pdf",
    image: mediaType ?? "",
    page: "text/html",
    text: "text/plain; charset=utf-8",
  };
  const nothing = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
  return {
    "content-type": types[view],
    "content-disposition": "inline",
    "content-security-policy": view === "pdf" ? "script-src 'none'; frame-ancestors 'self'" : `sandbox; ${nothing}`,
  };
}
