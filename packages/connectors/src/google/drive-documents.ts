import { hash } from "node:crypto";
import { sourceAclFingerprint, type SourceAcl } from "@anneal/core/access/acl-origins";
import type { Change, ContentHandle, SourceItem } from "@anneal/core/connect/change";
import { aclChange, withAcl } from "../acl-change.ts";
import { tooLarge } from "../failure.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { GdriveConfig } from "./config.ts";
import { filePath, type DriveClient, type DriveFile } from "./drive-api.ts";

const workspacePrefix = "application/vnd.google-apps.";
const office = "application/vnd.openxmlformats-officedocument.";

/** What Google's own documents are read as ("Export MIME types for Google Workspace documents"). */
function exportTypeOf(mimeType: string, config: GdriveConfig): string | null {
  switch (mimeType) {
    case `${workspacePrefix}document`:
      return config.documentsAs === "markdown" ? "text/markdown" : `${office}wordprocessingml.document`;
    case `${workspacePrefix}spreadsheet`:
      return config.spreadsheetsAs === "csv" ? "text/csv" : `${office}spreadsheetml.sheet`;
    case `${workspacePrefix}presentation`:
      return `${office}presentationml.presentation`;
    case `${workspacePrefix}drawing`:
      return "application/pdf";
    default:
      return null;
  }
}

/**
 * Folders, forms, sites and the like hold no text of their own. Neither do shortcuts: what one points at is read where
 * it lies, once, with the permissions that it has there.
 */
export function isDocument(file: DriveFile, config: GdriveConfig): boolean {
  return !file.mimeType.startsWith(workspacePrefix) || exportTypeOf(file.mimeType, config) !== null;
}

function mediaTypeOfFile(file: DriveFile, config: GdriveConfig): string | null {
  return exportTypeOf(file.mimeType, config) ?? mediaTypeOf(file.name) ?? (file.mimeType || null);
}

/** The parts of a fingerprint before the audience's: a new name is not taken for new content. */
function contentPartsOf(file: DriveFile, config: GdriveConfig): { content: string; name: string } {
  // Google's own documents have neither checksum nor head revision; their `version` grows with permissions too.
  const revision = file.md5Checksum ?? file.headRevisionId ?? file.modifiedTime ?? "";
  return {
    content: digest(JSON.stringify([revision, file.size ?? "", file.mimeType, mediaTypeOfFile(file, config)])),
    name: digest(file.name),
  };
}

function itemOf(file: DriveFile, acl: SourceAcl, config: GdriveConfig): SourceItem {
  const { content, name } = contentPartsOf(file, config);
  const sizeBytes = Number(file.size);
  return {
    ref: file.id,
    uri: file.webViewLink ?? `https://drive.google.com/open?id=${encodeURIComponent(file.id)}`,
    title: file.name,
    mediaType: mediaTypeOfFile(file, config),
    sizeBytes: file.size === undefined || !Number.isSafeInteger(sizeBytes) ? null : sizeBytes,
    modifiedAt: file.modifiedTime ?? null,
    fingerprint: withAcl(`${content}|${name}`, acl, sourceAclFingerprint),
    acl,
  };
}

/**
 * What there is to tell of a file that lies in scope. A new audience is told before new content is: should the content
 * fail to come, the document that stays must not stay open to those who lost it.
 *
 * @param before the fingerprint that is known
 * @param content opened at most once
 */
export function changesOfFile(
  file: DriveFile,
  acl: SourceAcl,
  before: string | null,
  options: { config: GdriveConfig; maxBytes: number; content: ContentHandle },
): Change[] {
  const item = itemOf(file, acl, options.config);
  const parts = contentPartsOf(file, options.config);
  const [knownContent, knownName] = before?.split("|") ?? [];
  if (knownContent === parts.content && knownName !== parts.name) return [{ type: "moved", fromRef: item.ref, item }];
  const audience = aclChange(item.ref, before, acl, sourceAclFingerprint);
  const changes = audience === null ? [] : [audience];
  if (knownContent === parts.content) return changes;
  if (item.sizeBytes !== null && item.sizeBytes > options.maxBytes) {
    const error = tooLarge(file.name, item.sizeBytes, options.maxBytes).toReport();
    return [...changes, { type: "failure", ref: item.ref, error }];
  }
  return [...changes, { type: "upsert", item, content: options.content }];
}

/** @param onFailure called when the content did not come whole */
export function contentOfFile(
  client: DriveClient,
  file: DriveFile,
  config: GdriveConfig,
  onFailure: (error: unknown) => void,
): ContentHandle {
  const exportType = exportTypeOf(file.mimeType, config);
  const open = () =>
    exportType === null
      ? client.download(filePath(file.id), file.name, { query: { alt: "media", supportsAllDrives: true } })
      : client.download(`${filePath(file.id)}/export`, file.name, { query: { mimeType: exportType } });
  const failed = (error: unknown) => {
    onFailure(error);
    throw error;
  };
  return {
    async open() {
      const body = await open().catch(failed);
      return (async function* () {
        try {
          yield* body;
        } catch (error) {
          failed(error);
        }
      })();
    },
  };
}

function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 32);
}
