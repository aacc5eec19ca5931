import type { KnownItems } from "@anneal/core/connect/change";
import type { SeenRefs } from "../seen-refs.ts";
import type { Space } from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";

export function refPrefix(spaceKey: string): string {
  return `${encodeURIComponent(spaceKey)}/`;
}

/**
 * A listing that is paged by a count passes over a space when another one goes meanwhile: what is known of spaces that
 * it did not name is asked for by key, before it is taken for gone.
 */
export async function findOverlookedSpaces(
  { secondLook }: ConfluenceApi,
  found: readonly Space[],
  known: KnownItems,
): Promise<Space[]> {
  if (secondLook === null) return [];
  const listed = new Set(found.map(({ key }) => refPrefix(key)));
  const missing = new Set<string>();
  for await (const ref of known.refs()) {
    const prefix = ref.slice(0, ref.indexOf("/") + 1);
    if (!listed.has(prefix)) missing.add(prefix);
  }
  if (missing.size === 0) return [];
  const overlooked = new Map<string, Space>();
  const keys = [...missing].map((prefix) => decodeURIComponent(prefix.slice(0, -1)));
  for await (const space of secondLook.currentSpaces(keys)) overlooked.set(space.key, space);
  return [...overlooked.values()];
}

/** The same for attachments: one that is still on a page that is read stays as it is known. */
export async function keepPresentAttachments(
  { secondLook }: ConfluenceApi,
  prefixes: ReadonlySet<string>,
  known: KnownItems,
  seen: SeenRefs,
  signal: AbortSignal,
): Promise<void> {
  if (secondLook === null) return;
  for await (const ref of known.refs()) {
    const idAt = ref.indexOf("/") + 1;
    const prefix = ref.slice(0, idAt);
    const id = ref.slice(idAt);
    if (seen.has(ref) || !prefixes.has(prefix) || !id.startsWith("att")) continue;
    signal.throwIfAborted();
    const container = await secondLook.containerOf(id);
    if (container !== null && seen.has(prefix + container)) seen.add(ref);
  }
}
