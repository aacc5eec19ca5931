import { fakeFolderType, fakeRootId, type FakeDrive, type FakeFile } from "./fake-drive.ts";

/** What a route answers: JSON, bytes, or Google's error. */
export type Answer =
  | { json: unknown }
  | { bytes: Buffer; cut?: boolean }
  | { status: number; reason: string; message: string; location?: string };

const notFound = (what: string): Answer => ({ status: 404, reason: "notFound", message: `${what} not found: .` });
const invalid = (location: string): Answer => ({ status: 400, reason: "invalid", message: "Invalid Value", location });

const exportLimitBytes = 10_000;
const exportTypes: Record<string, string[]> = {
  "application/vnd.google-apps.document": [
    "text/markdown",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ],
  "application/vnd.google-apps.spreadsheet": [
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ],
  "application/vnd.google-apps.presentation": [
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ],
};

/**
 * Drive API v3, from its reference: "about.get", "drives", "files.get|list|export", "permissions.list",
 * "changes.getStartPageToken|list", with "Search for files and folders", "Shared drive versus My Drive API differences"
 * and "Resolve errors".
 */
export function answerDrive(drive: FakeDrive, path: string, query: URLSearchParams, pageSize: number): Answer {
  const [area = "", rawId, part] = path.split("/").filter((step) => step !== "");
  const id = decodeURIComponent(rawId ?? "");
  switch (area) {
    case "about":
      return { json: { user: { emailAddress: drive.userEmail } } };
    case "drives":
      return id === "" ? listDrives(drive, query, pageSize) : getDrive(drive, id);
    case "changes":
      return id === "startPageToken" ? startToken(drive, query) : listChanges(drive, query, pageSize);
    case "files":
      if (id === "") return listFiles(drive, query, pageSize);
      if (part === "permissions") return listPermissions(drive, id, query, pageSize);
      if (part === "export") return exportFile(drive, id, query);
      return getFile(drive, id, query);
    default:
      return notFound("Method");
  }
}

function permissionsOf(drive: FakeDrive, id: string) {
  return drive.effectivePermissions(id).map(({ details, ...permission }) => ({
    ...permission,
    permissionDetails: details.map((detail) => ({ ...detail, role: permission.role })),
  }));
}

function toJson(drive: FakeDrive, file: FakeFile) {
  const isOwnFormat = file.mimeType.startsWith("application/vnd.google-apps.");
  const visible = permissionsOf(drive, file.id);
  return {
    kind: "drive#file",
    id: file.id,
    name: file.name,
    mimeType: file.mimeType,
    // A folder that the user does not see is not named.
    ...(file.parentId === "" ? {} : { parents: [file.parentId] }),
    trashed: drive.isTrashed(file),
    modifiedTime: file.modifiedTime,
    webViewLink: `https://drive.google.com/file/d/${file.id}/view`,
    ...(isOwnFormat ? {} : { size: String(file.content.byteLength), md5Checksum: drive.md5(file) }),
    ...(file.inheritedPermissionsDisabled ? { inheritedPermissionsDisabled: true } : {}),
    ...(file.driveId === null
      ? { ownedByMe: file.ownedByMe, ...(file.canShare ? { permissions: visible } : {}) }
      : { driveId: file.driveId, hasAugmentedPermissions: file.permissions.length > 0 }),
  };
}

function page<T>(
  entries: T[],
  query: URLSearchParams,
  pageSize: number,
): { slice: T[]; next: string | undefined } | null {
  const token = query.get("pageToken");
  const start = token === null ? 0 : Number(/^page-(\d+)$/.exec(token)?.[1] ?? NaN);
  if (Number.isNaN(start)) return null;
  const end = start + Math.min(pageSize, Number(query.get("pageSize") ?? 100));
  return { slice: entries.slice(start, end), next: end < entries.length ? `page-${end}` : undefined };
}

function listDrives(drive: FakeDrive, query: URLSearchParams, pageSize: number): Answer {
  const mine = [...drive.drives]
    .filter(([, { isMember }]) => isMember)
    .map(([id, { name, restrictions }]) => ({ id, name, restrictions }));
  const shown = page(mine, query, pageSize);
  return shown === null ? invalid("pageToken") : { json: { drives: shown.slice, nextPageToken: shown.next } };
}

function getDrive(drive: FakeDrive, id: string): Answer {
  const found = drive.drives.get(id);
  return found?.isMember
    ? { json: { id, name: found.name, restrictions: found.restrictions } }
    : notFound("Shared drive");
}

function listFiles(drive: FakeDrive, query: URLSearchParams, pageSize: number): Answer {
  const driveId = query.get("driveId");
  if ((query.get("corpora") === "drive") !== (driveId !== null)) return invalid("corpora");
  if (driveId !== null && query.get("includeItemsFromAllDrives") !== "true")
    return invalid("includeItemsFromAllDrives");
  if (driveId !== null && !drive.drives.get(driveId)?.isMember) return notFound("Shared drive");
  const clauses = (query.get("q") ?? "").split(" and ").map((clause) => clauseOf(drive, clause.trim()));
  if (clauses.includes(null)) return invalid("q");
  const files = [...drive.files.values()].filter(
    (file) => file.driveId === driveId && clauses.every((matches) => matches!(file)),
  );
  const shown = page(files, query, pageSize);
  if (query.has("pageToken") && drive.staleLists > 0) {
    drive.staleLists -= 1;
    return { ...invalid("pageToken"), status: drive.staleStatus };
  }
  if (shown === null) return invalid("pageToken");
  return { json: { files: shown.slice.map((file) => toJson(drive, file)), nextPageToken: shown.next } };
}

function clauseOf(drive: FakeDrive, clause: string): ((file: FakeFile) => boolean) | null {
  if (clause === "trashed = false") return (file) => !drive.isTrashed(file);
  const type = /^mimeType (=|!=) '([^']*)'$/.exec(clause);
  if (type) return (file) => (file.mimeType === type[2]) === (type[1] === "=");
  const parent = /^'([^']*)' in parents$/.exec(clause);
  if (parent) return (file) => file.parentId === parent[1];
  return null;
}

function isSeen(drive: FakeDrive, file: FakeFile): boolean {
  return file.driveId === null || drive.drives.get(file.driveId)?.isMember === true;
}

function getFile(drive: FakeDrive, id: string, query: URLSearchParams): Answer {
  if (id === "root") return { json: { id: fakeRootId, name: "My Drive", mimeType: fakeFolderType } };
  const file = drive.files.get(id);
  if (file === undefined || !isSeen(drive, file)) return notFound("File");
  if (query.get("supportsAllDrives") !== "true" && file.driveId !== null) return notFound("File");
  if (query.get("alt") !== "media") return { json: toJson(drive, file) };
  if (file.mimeType.startsWith("application/vnd.google-apps.")) {
    return { status: 403, reason: "fileNotDownloadable", message: "Only files with binary content can be downloaded." };
  }
  return contentOf(file);
}

function contentOf(file: FakeFile): Answer {
  if (file.download === "cut") return { bytes: file.content, cut: true };
  if (file.download !== null) return { ...file.download, message: "The file cannot be downloaded." };
  return { bytes: file.content };
}

function exportFile(drive: FakeDrive, id: string, query: URLSearchParams): Answer {
  const file = drive.files.get(id);
  if (file === undefined || !isSeen(drive, file)) return notFound("File");
  const type = query.get("mimeType") ?? "";
  if (!exportTypes[file.mimeType]?.includes(type)) {
    return { status: 400, reason: "badRequest", message: "The requested conversion is not supported." };
  }
  if (file.content.byteLength > exportLimitBytes) {
    return { status: 403, reason: "exportSizeLimitExceeded", message: "This file is too large to be exported." };
  }
  const content = contentOf(file);
  return "bytes" in content ? { bytes: Buffer.concat([Buffer.from(`[${type}] `), content.bytes]) } : content;
}

function listPermissions(drive: FakeDrive, id: string, query: URLSearchParams, pageSize: number): Answer {
  const file = drive.files.get(id);
  const isVisible = file === undefined ? drive.drives.get(id)?.isMember === true : isSeen(drive, file);
  if (!isVisible || query.get("supportsAllDrives") !== "true") return notFound("File");
  if (file?.canShare === false) {
    const message = "The user does not have sufficient permissions for this file.";
    return { status: 403, reason: "insufficientFilePermissions", message };
  }
  const shown = page(permissionsOf(drive, id), query, pageSize);
  return shown === null ? invalid("pageToken") : { json: { permissions: shown.slice, nextPageToken: shown.next } };
}

function startToken(drive: FakeDrive, query: URLSearchParams): Answer {
  const driveId = query.get("driveId");
  if (driveId !== null && !drive.drives.get(driveId)?.isMember) return notFound("Shared drive");
  return { json: { startPageToken: String(drive.position) } };
}

function listChanges(drive: FakeDrive, query: URLSearchParams, pageSize: number): Answer {
  const driveId = query.get("driveId");
  if (driveId !== null && !drive.drives.get(driveId)?.isMember) return notFound("Shared drive");
  const position = Number(query.get("pageToken") ?? NaN);
  const entries = Number.isNaN(position) ? null : drive.changesSince(driveId ?? "", position);
  if (entries === null) return { ...invalid("pageToken"), status: drive.staleStatus };
  const shown = entries.slice(0, Math.min(pageSize, Number(query.get("pageSize") ?? 100)));
  const changes = shown.map(({ fileId, kind }) => {
    const file = kind === "file" ? drive.files.get(fileId) : undefined;
    const removed = file === undefined;
    return { kind: "drive#change", changeType: "file", fileId, removed, file: file && toJson(drive, file) };
  });
  const more = shown.length < entries.length;
  return {
    json: more
      ? { changes, nextPageToken: String(entries[shown.length]!.position) }
      : { changes, newStartPageToken: String(drive.position) },
  };
}
