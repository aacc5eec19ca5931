const maxTitleChars = 80;

/** A conversation is called by its first question, on one line, cut at a word. */
export function conversationTitle(question: string): string {
  const line = question.replaceAll(/\s+/g, " ").trim();
  if (line.length <= maxTitleChars) return line;
  const cut = line.slice(0, maxTitleChars);
  const lastSpace = cut.lastIndexOf(" ");
  return `${cut.slice(0, lastSpace > maxTitleChars / 2 ? lastSpace : maxTitleChars)}…`;
}
