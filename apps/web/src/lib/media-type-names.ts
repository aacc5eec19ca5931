const names: Record<string, string> = {
  "application/pdf": "PDF",
  "application/json": "JSON",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
  "message/rfc822": "E-mail",
  "text/csv": "CSV",
  "text/html": "HTML",
  "text/markdown": "Markdown",
  "text/plain": "Text",
};

/** "application/pdf" -> "PDF"; what has no everyday name keeps its own. */
export function mediaTypeName(mediaType: string | null): string {
  if (mediaType === null) return "Unknown";
  return names[mediaType.split(";")[0]!.trim()] ?? mediaType;
}
