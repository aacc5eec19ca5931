import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Change, SourceItem } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { aclChange, hasContent, withAcl } from "../src/acl-change.ts";
import {
  defineConnector,
  type CheckResult,
  type ConnectContext,
  type DirectoryRequest,
  type ReadRequest,
} from "../src/connector.ts";
import { failedCheck, tooLarge } from "../src/failure.ts";
import { hidingOf } from "../src/hiding.ts";
import { mediaTypeOf } from "../src/media-type.ts";
import { addToPreview, describePreview, type Preview } from "../src/preview.ts";
import { readerRulesOf } from "../src/reader-rules.ts";
import { deleteMissing } from "../src/reconcile.ts";
import { SeenRefs } from "../src/seen-refs.ts";
import {
  templateSourceConfigSchema,
  templateSourceFacts,
  templateSourceSecretSchema,
  type TemplateSourceConfig,
  type TemplateSourceSecrets,
} from "./config.ts";
import { openApi, type ListedDocument, type TemplateSourceApi } from "./template-source-api.ts";

export const templateSourceConnector = defineConnector<TemplateSourceConfig, TemplateSourceSecrets>({
  kind: "template-source",
  title: "Template source",
  ...templateSourceFacts,
  configSchema: templateSourceConfigSchema,
  secretSchema: templateSourceSecretSchema,
  check,
  read,
  readDirectory,
});

/** Says what would work before anything is saved; never throws for what is wrong with the source. */
async function check(
  config: TemplateSourceConfig,
  secrets: TemplateSourceSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  const api = openApi(config, secrets, context);
  try {
    const preview: Preview = { count: 0, complete: true, samples: [] };
    for await (const { documents } of api.listDocuments()) {
      for (const document of documents) addToPreview(preview, document.title);
      // A check takes a few seconds at most.
      preview.complete = preview.count < 1000;
      if (!preview.complete) break;
    }
    const groups = await api.listGroups();
    return {
      checks: [
        { capability: "read", status: "ok", message: "Documents can be listed." },
        { capability: "permissions", status: "ok", message: `${groups.length} groups can be listed.` },
      ],
      summary: `${new URL(config.url).host} can be read and holds ${describePreview(preview, "document")}.`,
      error: null,
    };
  } catch (error) {
    return failedCheck("read", error);
  } finally {
    await api.close();
  }
}

/**
 * Lists everything and yields what is new. A checkpoint carries no position: after a kill it lists again, and what was
 * stored is known by its fingerprint. Whatever is thrown here ends the sync before a deletion.
 */
async function* read(request: ReadRequest<TemplateSourceConfig, TemplateSourceSecrets>): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const api = openApi(config, secrets, context);
  try {
    const seen = new SeenRefs();
    let scanned = 0;
    for await (const { documents, total } of api.listDocuments()) {
      context.signal.throwIfAborted();
      for (const document of documents) {
        seen.add(document.id);
        scanned += 1;
        yield* changesOf(api, config, document, await known.fingerprintOf(document.id), context.limits.documentBytes);
      }
      yield { type: "checkpoint", cursor: { version: 1 }, scanned, total };
    }
    // Only now, after a complete listing without an error, is what was not met known to be gone. What waits for a person's
    // word is meanwhile nobody's.
    const hiding = hidingOf(known, readerRulesOf(templateSourceFacts, config));
    yield* deleteMissing(known, context.deletions, hiding, (ref) => !seen.has(ref));
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned };
  } finally {
    await api.close();
  }
}

function* changesOf(
  api: TemplateSourceApi,
  config: TemplateSourceConfig,
  document: ListedDocument,
  before: string | null,
  maxBytes: number,
): Iterable<Change> {
  const ref = document.id;
  const acl = aclOf(config, document);
  // Readers first: a revocation holds even when the content cannot be read.
  const change = aclChange(ref, before, acl);
  if (change !== null) yield change;
  if (hasContent(before, document.revision, acl)) return;
  // One document that cannot be read is a failure of its own; the others go on.
  if (document.size > maxBytes) {
    yield { type: "failure", ref, error: tooLarge(ref, document.size, maxBytes).toReport() };
    return;
  }
  const item: SourceItem = {
    ref,
    uri: document.link,
    title: document.title,
    mediaType: mediaTypeOf(document.title),
    sizeBytes: document.size,
    modifiedAt: document.updated_at,
    fingerprint: withAcl(document.revision, acl),
    acl,
  };
  // Opened only when the consumer wants it.
  yield { type: "upsert", item, content: { open: () => api.download(ref) } };
}

/** What cannot be told admits nobody. A service without permissions gives null instead: the source's audience applies. */
function aclOf(config: TemplateSourceConfig, { readers }: ListedDocument): Acl {
  if (readers === undefined) return nobody;
  return { allow: readers.map((name) => principalOf(config, name)), deny: [] };
}

const groupPrefix = "group:";

/** The tenant keeps two installations of the service apart, whose groups may have the same names. */
function principalOf({ url }: TemplateSourceConfig, name: string): Principal {
  const tenant = new URL(url).host;
  return name.startsWith(groupPrefix)
    ? { source: "template-source", tenant, kind: "group", id: name.slice(groupPrefix.length) }
    : { source: "template-source", tenant, kind: "user", id: name.toLowerCase() };
}

/** All people and groups that permissions name. Only addresses that the service has verified may stand in `emails`. */
async function* readDirectory({
  config,
  secrets,
  context,
}: DirectoryRequest<TemplateSourceConfig, TemplateSourceSecrets>): AsyncIterable<DirectoryEntry> {
  const api = openApi(config, secrets, context);
  try {
    const people = new Set<string>();
    for (const { name, members } of await api.listGroups()) {
      for (const member of members) people.add(member);
      const principals = members.map((member) => principalOf(config, member));
      yield { type: "group", principal: principalOf(config, groupPrefix + name), name, members: principals };
    }
    for await (const { documents } of api.listDocuments()) {
      for (const { readers = [] } of documents) for (const reader of readers) people.add(reader);
    }
    for (const name of people) {
      if (name.startsWith(groupPrefix)) continue;
      yield { type: "user", principal: principalOf(config, name), name, emails: [name] };
    }
  } finally {
    await api.close();
  }
}
