import { sourceAclFingerprint, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { aclChange } from "../acl-change.ts";
import type { ReadRequest } from "../connector.ts";
import type { SeenRefs } from "../seen-refs.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { shownToNobody } from "./audience.ts";
import type { AtlassianSecrets, ConfluenceConfig } from "./config.ts";
import type { Space } from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { readSpaceTree, type SpaceTree } from "./confluence-space.ts";

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

/**
 * The same for attachments: one that is still on a page that is read stays as it is known, but under the audience that
 * its page has by now.
 *
 * @param spaces those that were read
 */
export async function* keepPresentAttachments(
  api: ConfluenceApi,
  spaces: readonly Space[],
  seen: SeenRefs,
  tenant: string,
  { config, known, context }: Pick<ReadRequest<ConfluenceConfig, AtlassianSecrets>, "config" | "known" | "context">,
): AsyncIterable<Change> {
  if (api.secondLook === null) return;
  const spaceOf = new Map(spaces.map((space) => [refPrefix(space.key), space]));
  /** Read again, since few are needed: the trees of all spaces are more than is held at once. */
  let tree: SpaceTree | undefined;
  let treeOf: Space | undefined;
  for await (const ref of known.refs()) {
    const idAt = ref.indexOf("/") + 1;
    const prefix = ref.slice(0, idAt);
    const id = ref.slice(idAt);
    const space = spaceOf.get(prefix);
    if (seen.has(ref) || space === undefined || !id.startsWith("att")) continue;
    context.signal.throwIfAborted();
    const container = await api.secondLook.containerOf(id);
    if (container === null || !seen.has(prefix + container)) continue;
    seen.add(ref);
    if (tree === undefined || treeOf !== space) {
      tree = await readSpaceTree(api, space, { ...config, tenant, attachments: false });
      treeOf = space;
    }
    // The page went since it was read, and the attachment with it.
    if (!tree.contents.has(container)) continue;
    const change = aclChange(
      ref,
      await known.fingerprintOf(ref),
      await readersOf(tree, container),
      sourceAclFingerprint,
    );
    if (change !== null) yield change;
  }
}

/** Why a page's cannot be read was said when the page was. */
async function readersOf(tree: SpaceTree, pageId: string): Promise<SourceAcl> {
  try {
    return (await tree.audienceOf(pageId)).acl;
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    return shownToNobody.acl;
  }
}
