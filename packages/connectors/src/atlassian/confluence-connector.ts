import type { Change, KnownItems } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { tooLarge } from "../failure.ts";
import { beginFirstSync, countOrNull, cursorOnTheWay, type FirstSync } from "../first-sync.ts";
import { hideBelow, hidingOf, isClosed } from "../hiding.ts";
import { isDocumentType, mediaTypeOf } from "../media-type.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { shownToNobody } from "./audience.ts";
import { changesOf, type Found } from "./changes-of.ts";
import { checkConfluence } from "./check-confluence.ts";
import {
  atlassianSecretSchema,
  confluenceConfigSchema,
  confluenceFacts,
  type AtlassianSecrets,
  type ConfluenceConfig,
} from "./config.ts";
import type { ListedAttachment, ListedContent, Space } from "./confluence-answers.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { readConfluenceDirectory } from "./confluence-directory.ts";
import { findOverlookedSpaces, keepPresentAttachments, refPrefix } from "./confluence-second-look.ts";
import { readSpaceTree, toShowContainers, UntoldRestriction, type SpaceTree } from "./confluence-space.ts";
import { findSpaces, noSpaceOf, noSuchSpace, withConfluence } from "./open-confluence.ts";
import { storageToHtml } from "./storage-to-html.ts";

type Request = ReadRequest<ConfluenceConfig, AtlassianSecrets>;

export const confluenceConnector = defineConnector<ConfluenceConfig, AtlassianSecrets>({
  kind: "confluence",
  title: "Confluence",
  ...confluenceFacts,
  directory: "vendor",
  configSchema: confluenceConfigSchema,
  secretSchema: atlassianSecretSchema,
  check: checkConfluence,
  read: (request) => withConfluence(request, ({ api, tenant }) => readSpaces(request, api, tenant)),
  readDirectory: readConfluenceDirectory,
});

const checkpointEvery = 200;
/** Begins every fingerprint: with another rendering every page is read again. */
const renderingVersion = "c1";

async function* readSpaces(request: Request, api: ConfluenceApi, tenant: string): AsyncIterable<Change> {
  const { config, known, context } = request;
  const hiding = hidingOf(known, readerRulesOf(confluenceFacts, config));
  const { found, missing } = await findSpaces(api, config.spaces);
  if (found.length === 0) {
    yield* hideBelow(known, missing.length === 0 ? [""] : missing.map(refPrefix), hiding);
    throw noSpaceOf(missing);
  }
  if (config.spaces.length === 0) found.push(...(await findOverlookedSpaces(api, found, known)));
  const unread = missing.map((key) => ({ key, error: noSuchSpace([key]) }));
  const first = await beginFirstSync(request.cursor, () => countDocuments(request, api, found));
  const progress: Progress = { seen: new SeenRefs(), scanned: 0, first };
  for (const space of found) {
    try {
      yield* readSpace(request, api, space, tenant, progress);
    } catch (error) {
      if (!isAboutWhatWasAsked(error)) throw error;
      unread.push({ key: space.key, error });
    }
  }
  const closed = unread.filter(({ error }) => isClosed(error)).map(({ key }) => refPrefix(key));
  yield* hideBelow(known, closed, hiding);
  if (unread.length === found.length + missing.length) throw unread[0]?.error;
  for (const { key, error } of unread) yield { type: "failure", ref: refPrefix(key), error: error.toReport() };
  const prefixes = unread.map(({ key }) => refPrefix(key));
  if (config.attachments) {
    const read = found.filter(({ key }) => !prefixes.includes(refPrefix(key)));
    yield* keepPresentAttachments(api, read, progress.seen, tenant, request);
  }
  yield* deleteMissing(
    known,
    context.deletions,
    hiding,
    (ref) => !progress.seen.has(ref) && !prefixes.some((prefix) => ref.startsWith(prefix)),
    firstSegment,
  );
  yield { type: "checkpoint", cursor: { version: 1 }, scanned: progress.scanned, total: progress.scanned };
}

type Progress = { seen: SeenRefs; scanned: number; first: FirstSync | null };

/** Attachments of formats that cannot be read are among them. */
async function countDocuments(
  { config, context }: Request,
  api: ConfluenceApi,
  spaces: readonly Space[],
): Promise<number | null> {
  const keys = spaces.map(({ key }) => key);
  const types = [
    "page" as const,
    config.blogPosts && ("blogpost" as const),
    config.attachments && ("attachment" as const),
  ];
  return countOrNull(context, () =>
    api.countContents(
      keys,
      types.filter((type) => type !== false),
    ),
  );
}

async function* readSpace(
  request: Request,
  api: ConfluenceApi,
  space: Space,
  tenant: string,
  progress: Progress,
): AsyncIterable<Change> {
  const { config, known, context } = request;
  const { signal, limits } = context;
  const tree = await readSpaceTree(api, space, { ...config, tenant });
  const refusals: Refusals = { reported: new Set(), untold: 0 };
  for await (const found of listDocuments(api, space, tree, config, limits.documentBytes)) {
    signal.throwIfAborted();
    progress.seen.add(found.item.ref);
    progress.scanned += 1;
    yield* changesUnderAudience(tree, found, known, limits.documentBytes, refusals);
    const { scanned, first } = progress;
    if (scanned % checkpointEvery > 0) continue;
    yield { type: "checkpoint", cursor: cursorOnTheWay(first), scanned, total: first?.total ?? null };
  }
  if (refusals.untold === 0) return;
  const ref = refPrefix(space.key);
  progress.seen.add(ref);
  yield { type: "failure", ref, error: hiddenInContainers(space, refusals.untold).toReport() };
}

/** `untold`: how many documents of a space lie in what may be restricted without a word of it. */
type Refusals = { reported: Set<unknown>; untold: number };

type Document = Omit<Found, "acl"> & { pageId: string };

async function* listDocuments(
  api: ConfluenceApi,
  space: Space,
  tree: SpaceTree,
  config: ConfluenceConfig,
  maxBytes: number,
): AsyncIterable<Document> {
  for (const content of tree.contents.values()) {
    yield pageDocument(api, space, content, maxBytes);
    if (!config.attachments) continue;
    for (const attachment of await tree.attachmentsOf(content)) {
      const { mediaType, title } = attachment;
      if (mediaTypeOf(title) === null && (mediaType === null || !isDocumentType(mediaType))) continue;
      yield attachmentDocument(api, space, attachment, content.id);
    }
  }
}

/** One failure of the space, and not of the source: most of it may be read by those who may. */
function hiddenInContainers({ name, key }: Space, count: number): AnnealError {
  const documents = count === 1 ? "the 1 document" : `the ${count} documents`;
  return new AnnealError(
    "INVALID_INPUT",
    `Nobody is shown ${documents} of "${name || key}" in folders, whiteboards, databases and embedded links: Confluence does not tell to whom these are restricted.`,
    { action: toShowContainers },
  );
}

/** Somebody whose permission cannot be read has none; that is said once for each reason, not for each page. */
async function* changesUnderAudience(
  tree: SpaceTree,
  { pageId, ...found }: Document,
  known: KnownItems,
  maxBytes: number,
  refusals: Refusals,
): AsyncIterable<Change> {
  let audience = shownToNobody;
  let refused: AnnealError | null = null;
  try {
    audience = await tree.audienceOf(pageId);
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    // These are told together, at the end of the space.
    const isUntold = error instanceof UntoldRestriction;
    if (isUntold) refusals.untold += 1;
    refused = isUntold || refusals.reported.has(error) ? null : error;
    refusals.reported.add(error);
  }
  yield* await changesOf({ ...found, acl: audience.acl }, known, maxBytes);
  if (refused === null) return;
  const error = new AnnealError("SOURCE_FORBIDDEN", `Who may view "${found.item.title ?? ""}" cannot be read.`, {
    action: `Until then it is shown to nobody. ${refused.message} ${refused.action}`,
    details: refused.details,
  });
  yield { type: "failure", ref: found.item.ref, error: error.toReport() };
}

function pageDocument(api: ConfluenceApi, space: Space, content: ListedContent, maxBytes: number): Document {
  const { id, title, version, modifiedAt, uri } = content;
  return {
    pageId: id,
    contentPart: `${renderingVersion}-${version}`,
    item: { ref: refPrefix(space.key) + id, uri, title, mediaType: "text/html", sizeBytes: null, modifiedAt },
    content: {
      async open() {
        const bytes = Buffer.from(storageToHtml(title, await api.storageOf(content)));
        if (bytes.byteLength > maxBytes) throw tooLarge(title, bytes.byteLength, maxBytes);
        return (async function* () {
          yield bytes;
        })();
      },
    },
  };
}

function attachmentDocument(
  api: ConfluenceApi,
  space: Space,
  attachment: ListedAttachment,
  containerId: string,
): Document {
  const { id, title, version, modifiedAt, sizeBytes, uri } = attachment;
  return {
    pageId: containerId,
    contentPart: `a1-${version}`,
    item: {
      ref: refPrefix(space.key) + id,
      uri,
      title,
      mediaType: mediaTypeOf(title) ?? attachment.mediaType,
      sizeBytes,
      modifiedAt,
    },
    content: { open: () => api.downloadAttachment(containerId, attachment) },
  };
}
