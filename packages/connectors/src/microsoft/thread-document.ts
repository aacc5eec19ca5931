import type { Message } from "./teams-schemas.ts";

export type ThreadDocument = { title: string; html: string; modifiedAt: string | null };

const maxTitleChars = 80;

/**
 * A thread as one page: who said what, in the order in which it was said. What was deleted, or is kept from its readers, is
 * left out.
 * @returns null when nothing is left to read
 */
export function writeThread(channelName: string, messages: readonly Message[]): ThreadDocument | null {
  const said = messages
    .filter((message) => message.messageType === "message" && !message.deletedDateTime && !isBlocked(message))
    // By their ids too: a thread that is read alone need not come in the order of a listing.
    .toSorted((a, b) => compareText(a.createdDateTime ?? "", b.createdDateTime ?? "") || compareText(a.id, b.id));
  if (said.length === 0) return null;
  const title = titleOf(said) || `Thread in ${channelName}`;
  const heading = `${escapeHtml(channelName)}: ${escapeHtml(title)}`;
  const html = `<html><head><title>${escapeHtml(title)}</title></head><body><h1>${heading}</h1>${said.map(writeMessage).join("")}</body></html>`;
  const modifiedAt = said
    .flatMap(({ lastModifiedDateTime }) => lastModifiedDateTime ?? [])
    .toSorted(compareText)
    .at(-1);
  return { title, html, modifiedAt: modifiedAt ?? null };
}

/**
 * A data loss prevention policy keeps it from everybody but its author, and Graph gives its words all the same. What is blocked
 * for people outside the organization alone ("blockAccessExternal") is not: they are nobody here.
 */
function isBlocked({ policyViolation }: Message): boolean {
  const actions = policyViolation?.dlpAction?.toLowerCase().split(",") ?? [];
  return actions.some((action) => action.trim() === "blockaccess");
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function titleOf([first]: readonly Message[]): string {
  if (first?.subject) return first.subject;
  const text = (first?.body?.content ?? "").replaceAll(/<[^>]*>/g, " ").replaceAll(/&[a-z]+;|\s+/g, " ");
  const words = text.trim();
  return words.length <= maxTitleChars ? words : `${words.slice(0, maxTitleChars - 1).trimEnd()}…`;
}

function writeMessage({ from, createdDateTime, body, attachments }: Message): string {
  const by = [from?.user?.displayName, createdDateTime].flatMap((part) => (part ? escapeHtml(part) : [])).join(", ");
  const content = body?.content ?? "";
  const text = body?.contentType === "html" ? content : `<p>${escapeHtml(content)}</p>`;
  const files = (attachments ?? []).flatMap(({ name, contentUrl }) =>
    name && contentUrl?.startsWith("https:")
      ? `<p><a href="${escapeHtml(contentUrl)}">${escapeHtml(name)}</a></p>`
      : [],
  );
  return `<section><p><b>${by}</b></p>${text}${files.join("")}</section>`;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => escapes[character] ?? character);
}
