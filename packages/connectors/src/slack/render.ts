import { blockTexts, dayOf, isSaid, timeOf, type Message } from "./message.ts";
import { mentionedUsers, readableText, type NameSource } from "./mrkdwn.ts";

const titleChars = 80;

/** Everybody whose name the text of these messages needs. */
export function peopleIn(messages: readonly Message[]): Set<string> {
  const ids = new Set<string>();
  for (const message of messages) {
    if (message.user && !message.username) ids.add(message.user);
    for (const id of mentionedUsers(rawText(message))) ids.add(id);
  }
  return ids;
}

/** Plain text, a paragraph a message: what people type is not to be taken for Markdown. */
export function renderMessages(heading: string, messages: readonly Message[], names: NameSource): string {
  const said = messages.filter(isSaid).map((message) => {
    const time = timeOf(message.ts).toISOString().slice(0, 16).replace("T", " ");
    return `${time} ${authorOf(message, names)}: ${bodyOf(message, names)}`;
  });
  return `${[heading, ...said].join("\n\n")}\n`;
}

export function titleOfDay(channelName: string, day: string): string {
  return `#${channelName}, ${day}`;
}

export function titleOfThread(channelName: string, messages: readonly Message[], names: NameSource): string {
  const first = messages.find(isSaid);
  const words = first === undefined ? "" : bodyOf(first, names).replace(/\s+/g, " ").trim();
  if (words === "") return `#${channelName}, thread of ${messages[0] === undefined ? "" : dayOf(messages[0].ts)}`;
  const chars = [...words];
  return `#${channelName}: ${chars.length > titleChars ? `${chars.slice(0, titleChars).join("")}…` : words}`;
}

function authorOf(message: Message, names: NameSource): string {
  if (message.username) return message.username;
  return (message.user && names.user(message.user)) || message.bot_profile?.name || message.user || "somebody";
}

function bodyOf(message: Message, names: NameSource): string {
  return [readableText(rawText(message), names), ...fileLines(message)].filter((part) => part !== "").join("\n");
}

function rawText(message: Message): string {
  const own = message.text || blockTexts(message.blocks ?? []).join(" ");
  const attached = (message.attachments ?? []).map(({ pretext, title, text, fallback }) => {
    const words = [pretext, title, text].filter((part) => part);
    return words.length > 0 ? words.join("\n") : (fallback ?? "");
  });
  // An app's text often repeats its attachment.
  return [own, ...attached.filter((text) => !own.includes(text))].filter((part) => part !== "").join("\n");
}

/** Files are named, not read: what is in them is another document. */
function fileLines(message: Message): string[] {
  return (message.files ?? [])
    .filter((file) => file.mode !== "tombstone")
    .map((file) => {
      const size = typeof file.size === "number" ? `${Math.ceil(file.size / 1024).toLocaleString("en")} KiB` : null;
      const facts = [file.mimetype, size].filter((fact) => fact).join(", ");
      const name = file.title || file.name || file.id;
      return `[File: ${name}${facts === "" ? "" : ` (${facts})`}${file.permalink ? ` ${file.permalink}` : ""}]`;
    });
}
