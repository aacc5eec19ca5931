/**
 * Confluence's storage format as HTML. Macros are not carried out: an included page, a list of children or a table of
 * issues would be what the account may see, shown to everybody who may see this page. What a macro holds itself, such
 * as a panel's text or a code block, stays.
 */
export function storageToHtml(title: string, storage: string): string {
  const body = storage
    // A parser of HTML would take them for comments.
    .replaceAll(/<!\[CDATA\[([\s\S]*?)\]\]>/g, (_, text: string) => escapeHtml(text))
    .replaceAll(/<ac:(parameter|task-id|task-uuid|task-status|placeholder)\b[^>]*>[\s\S]*?<\/ac:\1>/g, "")
    .replaceAll(/<ac:link\b[^>]*>([\s\S]*?)<\/ac:link>/g, (_, inner: string) => linkText(inner))
    .replaceAll(/<(\/?)ac:plain-text-body>/g, "<$1pre>")
    .replaceAll(/<(\/?)ac:task-list>/g, "<$1ul>")
    .replaceAll(/<(\/?)ac:task>/g, "<$1li>")
    .replaceAll(/<\/?(?:ac|ri):[\w-]+(?:\s+[\w:-]+="[^"]*")*\s*\/?>/g, "");
  return htmlDocument(title, body);
}

/** A link's own text, else the title of the page or the name of the file that it leads to. */
function linkText(inner: string): string {
  const body = /<ac:(?:plain-text-)?link-body>([\s\S]*?)<\/ac:(?:plain-text-)?link-body>/.exec(inner)?.[1];
  return body ?? /ri:(?:content-title|filename)="([^"]*)"/.exec(inner)?.[1] ?? "";
}

export function htmlDocument(title: string, body: string): string {
  const heading = escapeHtml(title);
  return `<!doctype html>\n<html><head><meta charset="utf-8"><title>${heading}</title></head><body>\n<h1>${heading}</h1>\n${body}\n</body></html>\n`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
