const names: Record<string, string> = {
  "application/pdf": "PDF",
  "application/epub+zip": "EPUB",
  "application/gzip": "Gzip archive",
  "application/json": "JSON",
  "application/vnd.ms-outlook": "Outlook e-mail",
  "application/vnd.oasis.opendocument.presentation": "OpenDocument slides",
  "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument sheet",
  "application/vnd.oasis.opendocument.text": "OpenDocument text",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
  "application/x-ndjson": "JSON lines",
  "application/x-tar": "Tar archive",
  "application/xml": "XML",
  "application/zip": "ZIP archive",
  "image/gif": "GIF image",
  "image/jpeg": "JPEG image",
  "image/png": "PNG image",
  "image/tiff": "TIFF image",
  "image/webp": "WebP image",
  "message/rfc822": "E-mail",
  "text/csv": "CSV",
  "text/html": "HTML",
  "text/markdown": "Markdown",
  "text/plain": "Text",
  "text/tab-separated-values": "TSV",
  "text/x-source": "Source code",
};

/**
 * "application/pdf" -> "PDF"; what has no everyday name keeps its own.
 * @param ref of a document whose source told no type: its ending is better than nothing
 */
export function mediaTypeName(mediaType: string | null, ref = ""): string {
  if (mediaType === null) return /\.(\w{1,5})$/.exec(ref)?.[1]?.toUpperCase() ?? "Unknown";
  return names[mediaType.split(";")[0]!.trim()] ?? mediaType;
}
