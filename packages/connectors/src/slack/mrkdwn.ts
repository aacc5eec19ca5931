/** Names for the ids that a message holds; null where there is none to show. */
export type NameSource = { user(id: string): string | null; channel(id: string): string | null };

const marked = /<([^<>\s][^<>]*)>/g;
const userMention = /<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>/g;

/** The ids of the people whom a text mentions. */
export function mentionedUsers(text: string): string[] {
  return [...text.matchAll(userMention)].map(([, id]) => id!);
}

/** Slack's text as a person reads it: mentions by name, links as "label (address)", entities decoded. */
export function readableText(text: string, names: NameSource): string {
  return text
    .replace(marked, (_, inner: string) => readMark(inner, names))
    .replace(/&(amp|lt|gt);/g, (_, entity: string) => (entity === "amp" ? "&" : entity === "lt" ? "<" : ">"));
}

function readMark(inner: string, names: NameSource): string {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : inner.slice(bar + 1);
  switch (inner[0]) {
    case "@": {
      const id = target.slice(1);
      return `@${names.user(id) ?? (label || id)}`;
    }
    case "#": {
      const id = target.slice(1);
      return `#${label || names.channel(id) || id}`;
    }
    case "!": {
      // <!here>, <!subteam^S1|@team>, <!date^1392734382^{date}|Feb 18>
      const word = target.slice(1).split("^", 1)[0] ?? "";
      if (word === "date") return label;
      return label === "" ? `@${word === "subteam" ? "group" : word}` : label.startsWith("@") ? label : `@${label}`;
    }
  }
  const address = target.replace(/^(mailto|tel):/, "");
  return label === "" || label === address || label === target ? address : `${label} (${address})`;
}
