import { hash } from "node:crypto";
import { workspaceMembers, type Acl } from "@anneal/core/access/acl";
import type { SourceItem } from "@anneal/core/connect/change";
import type { Scope } from "../src/database.ts";
import { upsertDocument } from "../src/queries/synced-documents.ts";
import { addSource } from "./source-fixture.ts";

export const sha256 = (text: string) => hash("sha256", text);

/** Everybody in the workspace. */
export const aclOf = (of: Scope): Acl => ({ allow: [workspaceMembers(of.workspaceId)], deny: [] });

/** A source whose documents everybody in the workspace reads by default. @returns its id */
export const createSource = (of: Scope): Promise<string> => addSource(of, { defaultAcl: aclOf(of) });

export const itemOf = (ref: string, fingerprint: string): SourceItem => ({
  ref,
  uri: `file:///data/${ref}`,
  title: null,
  mediaType: "text/plain",
  sizeBytes: 3,
  modifiedAt: null,
  fingerprint,
  acl: null,
});
export const contentOf = (text: string) => ({
  contentHash: sha256(text),
  contentKey: `content/${sha256(text)}`,
  sizeBytes: text.length,
});

export const upsert = (of: Scope, sourceId: string, ref: string, text: string) =>
  upsertDocument(of, sourceId, itemOf(ref, sha256(text)), contentOf(text));
