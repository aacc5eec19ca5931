import { hash } from "node:crypto";
import type { StaleStatus } from "../describe-remote.ts";

export type FakePermission = {
  type: "user" | "group" | "domain" | "anyone";
  role: string;
  emailAddress?: string;
  domain?: string;
  allowFileDiscovery?: boolean;
  deleted?: boolean;
  expirationTime?: string;
  view?: string;
};

export type FakeRestrictions = { domainUsersOnly?: boolean; driveMembersOnly?: boolean };

/** "member" of the shared drive, or on a "file", which a folder is as well. */
export type FakeDetail = { permissionType: "member" | "file"; inherited: boolean; inheritedFrom?: string };

export type FakeFile = {
  id: string;
  name: string;
  mimeType: string;
  parentId: string;
  /** null: in the My Drive of the user. */
  driveId: string | null;
  content: Buffer;
  /** Put into the trash itself, and not with a folder above it. */
  trashed: boolean;
  permissions: FakePermission[];
  inheritedPermissionsDisabled: boolean;
  modifiedTime: string;
  ownedByMe: boolean;
  /** Whether the user may share it, and with that see with whom it is shared. */
  canShare: boolean;
  /** What a download answers instead of the content. */
  download: { status: number; reason: string } | "cut" | null;
  targetId?: string;
};

export const fakeFolderType = "application/vnd.google-apps.folder";
export const fakeRootId = "0AMyDriveRoot";

type LogEntry = { position: number; corpus: string; fileId: string; kind: "file" | "removed" | "drive" };

/**
 * What Drive holds for one user. Its feed is as sparse as the documentation allows: an entry is written for the item
 * that somebody acted on and for nothing below it.
 */
export class FakeDrive {
  readonly files = new Map<string, FakeFile>();
  readonly drives = new Map<
    string,
    { name: string; permissions: FakePermission[]; isMember: boolean; restrictions: FakeRestrictions }
  >();
  #log: LogEntry[] = [];
  #position = 100;
  #oldest = 0;
  #ids = 0;
  /** How far its clock is ahead of what it would show. */
  aheadMs = 0;
  #clock = Date.parse("2026-01-01T00:00:00Z");

  readonly userEmail: string;

  constructor(userEmail: string) {
    this.userEmail = userEmail;
  }

  addDrive(id: string, name: string, permissions: FakePermission[]): void {
    this.drives.set(id, { name, permissions, isMember: true, restrictions: {} });
  }

  setDrivePermissions(id: string, permissions: FakePermission[]): void {
    this.drives.get(id)!.permissions = permissions;
  }

  add(file: Partial<FakeFile> & { name: string; parentId: string }): FakeFile {
    const parent = this.files.get(file.parentId);
    const driveId = this.drives.has(file.parentId) ? file.parentId : (parent?.driveId ?? null);
    const created: FakeFile = {
      id: `1file${String((this.#ids += 1)).padStart(6, "0")}`,
      mimeType: "application/octet-stream",
      content: Buffer.alloc(0),
      trashed: false,
      permissions: driveId === null ? [{ type: "user", role: "owner", emailAddress: this.userEmail }] : [],
      inheritedPermissionsDisabled: false,
      modifiedTime: this.#now(),
      ownedByMe: driveId === null,
      canShare: true,
      download: null,
      driveId,
      ...file,
    };
    this.files.set(created.id, created);
    this.touch(created.id);
    return created;
  }

  write(id: string, content: string): void {
    const file = this.files.get(id)!;
    Object.assign(file, { content: Buffer.from(content), modifiedTime: this.#now() });
    this.touch(id);
  }

  /** Sets what the feed then tells of, without the time of the content's last change. */
  update(id: string, change: Partial<FakeFile>): void {
    const file = this.files.get(id)!;
    const before = file.driveId;
    Object.assign(file, change);
    if (change.parentId !== undefined) {
      const driveId = this.drives.has(change.parentId) ? change.parentId : this.files.get(change.parentId)?.driveId;
      this.#setDrive(file, driveId ?? null);
    }
    if (before !== file.driveId) this.#log.push(this.#entry(before ?? "", id, "removed"));
    this.touch(id);
  }

  /** For good, with all that is below; the feed tells of it alone. */
  destroy(id: string): void {
    const file = this.files.get(id)!;
    for (const child of this.childrenOf(id)) this.#drop(child);
    this.files.delete(id);
    this.#log.push(this.#entry(file.driveId ?? "", id, "removed"));
  }

  touch(id: string): void {
    const file = this.files.get(id);
    if (file) this.#log.push(this.#entry(file.driveId ?? "", id, "file"));
  }

  childrenOf(id: string): FakeFile[] {
    return [...this.files.values()].filter((file) => file.parentId === id);
  }

  /** By names from the root of My Drive or of a shared drive; trashed ones too. */
  find(root: string, path: string): FakeFile | undefined {
    let parentId = root;
    let found: FakeFile | undefined;
    for (const name of path.split("/")) {
      found = this.childrenOf(parentId).find((file) => file.name === name);
      if (found === undefined) return undefined;
      parentId = found.id;
    }
    return found;
  }

  ensureFolder(root: string, path: string): string {
    let parentId = root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      const found = this.childrenOf(parentId).find((file) => file.name === name && file.mimeType === fakeFolderType);
      parentId = (found ?? this.add({ name, parentId, mimeType: fakeFolderType })).id;
    }
    return parentId;
  }

  isTrashed(file: FakeFile): boolean {
    const parent = this.files.get(file.parentId);
    return file.trashed || (parent !== undefined && this.isTrashed(parent));
  }

  /**
   * Direct ones first, then those of what lies above, unless the item takes none; one for each that they are given to, with all
   * of what it is given by. What a drive's restrictions take from somebody stays among them.
   */
  effectivePermissions(id: string): (FakePermission & { details: FakeDetail[] })[] {
    const given = (permissions: FakePermission[], permissionType: FakeDetail["permissionType"]) =>
      permissions.map((permission) => ({ ...permission, details: [{ permissionType, inherited: false }] }));
    const drive = this.drives.get(id);
    if (drive) return given(drive.permissions, "member");
    const file = this.files.get(id);
    if (file === undefined) return [];
    // "Only populated for items in shared drives" (Permissions resource).
    const from = file.driveId === null ? {} : { inheritedFrom: file.parentId };
    const above = this.effectivePermissions(file.parentId).map((permission) => ({
      ...permission,
      details: permission.details.map((detail): FakeDetail => ({ ...from, ...detail, inherited: true })),
    }));
    // With limited access the others keep sight of the name alone.
    const inherited = file.inheritedPermissionsDisabled
      ? above.map((permission) => ({ ...permission, view: "metadata" }))
      : above;
    const merged = new Map<string, FakePermission & { details: FakeDetail[] }>();
    for (const permission of [...given(file.permissions, "file"), ...inherited]) {
      const { type, emailAddress, domain, view } = permission;
      const key = JSON.stringify([type, emailAddress, domain, view]);
      const before = merged.get(key);
      merged.set(key, before ? { ...before, details: [...before.details, ...permission.details] } : permission);
    }
    return [...merged.values()];
  }

  get position(): number {
    return this.#position;
  }

  /** So many positions in a list of files that are shown are refused. */
  staleLists = 0;
  /** How positions are refused that are no longer good. */
  staleStatus: StaleStatus = 400;

  /** Tokens up to now are no longer good for anything. */
  forgetFeed(): void {
    this.#position += 1;
    this.#oldest = this.#position;
  }

  /** @returns null for a token that is too old; each item once, at its last change */
  changesSince(corpus: string, position: number): LogEntry[] | null {
    if (position < this.#oldest) return null;
    const last = new Map<string, LogEntry>();
    for (const entry of this.#log) {
      if (entry.corpus !== corpus || entry.position < position) continue;
      last.delete(entry.fileId);
      last.set(entry.fileId, entry);
    }
    return [...last.values()];
  }

  md5(file: FakeFile): string {
    return hash("md5", file.content);
  }

  #setDrive(file: FakeFile, driveId: string | null): void {
    file.driveId = driveId;
    for (const child of this.childrenOf(file.id)) this.#setDrive(child, driveId);
  }

  #drop(file: FakeFile): void {
    for (const child of this.childrenOf(file.id)) this.#drop(child);
    this.files.delete(file.id);
  }

  #entry(corpus: string, fileId: string, kind: LogEntry["kind"]): LogEntry {
    const position = this.#position;
    this.#position += 1;
    return { position, corpus, fileId, kind };
  }

  #now(): string {
    this.#clock += 1000;
    return new Date(this.#clock + this.aheadMs).toISOString();
  }
}
