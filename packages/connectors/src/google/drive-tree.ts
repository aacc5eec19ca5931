import { nobody } from "@anneal/core/access/acl";
import { inheritFrom, type SourceAcl } from "@anneal/core/access/acl-origins";
import {
  findFile,
  listPermissions,
  type Corpus,
  type DriveClient,
  type DriveFile,
  type DrivePermission,
} from "./drive-api.ts";
import { aclOfPermissions, originOf, type PermissionRules } from "./drive-permissions.ts";

/** Where a file lies: its path from its drive's root, and whether that root was reached. */
type Place = { path: string; rooted: boolean };

/** `expires`: some of it ends at a time that is set, of which no feed need tell. */
type Audience = { acl: SourceAcl; expires: boolean };

type Folder = Pick<
  DriveFile,
  "id" | "name" | "parents" | "driveId" | "hasAugmentedPermissions" | "inheritedPermissionsDisabled"
>;

/**
 * The folders above files, each asked for at most once in a run, and what shared drives' files inherit through them:
 * Drive does not list permissions with the files of a shared drive, and asking for each file would cost a request each.
 */
export class DriveTree {
  readonly #client: DriveClient;
  readonly #rootId: string | null;
  readonly #drives: ReadonlyMap<string, Corpus>;
  readonly #rules: Omit<PermissionRules, "restrictions">;
  readonly #folders = new Map<string, Promise<Folder | null>>();
  readonly #granted = new Map<string, Promise<Audience>>();

  constructor(options: {
    client: DriveClient;
    /** Of My Drive; null where it is not read. */
    rootId: string | null;
    /** Shared drives by their ids. */
    drives: ReadonlyMap<string, Corpus>;
    rules: Omit<PermissionRules, "restrictions">;
  }) {
    this.#client = options.client;
    this.#rootId = options.rootId;
    this.#drives = options.drives;
    this.#rules = options.rules;
  }

  /** A folder as it was listed now, so that it need not be asked for. */
  add(folder: DriveFile): void {
    const { id, name, parents, driveId, hasAugmentedPermissions, inheritedPermissionsDisabled } = folder;
    const known: Folder = { id, name, parents, driveId, hasAugmentedPermissions, inheritedPermissionsDisabled };
    this.#folders.set(id, Promise.resolve(known));
  }

  /**
   * Everything is asked for anew. What was seen before a feed was read to its end may be older than what the feed told,
   * and the feed will not tell it twice.
   */
  forget(): void {
    this.#folders.clear();
    this.#granted.clear();
  }

  async placeOf(file: Pick<DriveFile, "name" | "parents">): Promise<Place> {
    const names = [file.name];
    const passed = new Set<string>();
    for (let id = file.parents?.[0]; id !== undefined;) {
      const drive = this.#drives.get(id);
      if (drive !== undefined) return { path: [drive.name, ...names].join("/"), rooted: true };
      if (id === this.#rootId) return { path: names.join("/"), rooted: true };
      // A ring of folders would be a fault of the source; it must not hang the sync.
      const folder = passed.has(id) ? null : await this.#folder(id);
      if (folder === null) break;
      passed.add(id);
      names.unshift(folder.name);
      id = folder.parents?.[0];
    }
    return { path: names.join("/"), rooted: false };
  }

  /** Who may read the file; nobody where that cannot be known. */
  async audienceOf(file: DriveFile): Promise<Audience> {
    if (file.driveId !== undefined) return this.#inDrive(file);
    return this.#audience(file.permissions ?? null, file);
  }

  async #inDrive(item: Folder): Promise<Audience> {
    const parentId = item.parents?.[0];
    const inheritsAll = item.hasAugmentedPermissions === false && item.inheritedPermissionsDisabled !== true;
    if (!inheritsAll || parentId === undefined) return this.#listed(item);
    if (parentId === item.driveId)
      return this.#once(parentId, () => this.#passedOn(parentId, this.#listed({ id: parentId, driveId: parentId })));
    const parent = await this.#folder(parentId);
    if (parent === null) return this.#listed(item);
    return this.#once(parentId, () => this.#passedOn(parentId, this.#inDrive(parent)));
  }

  /** What a folder admits, as all that inherits it does. */
  async #passedOn(folderId: string, audience: Promise<Audience>): Promise<Audience> {
    const [{ acl, expires }, name] = await Promise.all([audience, this.#nameOf(folderId)]);
    return { acl: name === null ? acl : inheritFrom(name, acl), expires };
  }

  /** The path of a folder, or a drive's name, as people know it; null for what may not be seen. */
  async #nameOf(id: string): Promise<string | null> {
    const drive = this.#drives.get(id);
    if (drive !== undefined) return `/${drive.name}`;
    if (id === this.#rootId) return "/";
    const folder = await this.#folder(id);
    return folder === null ? null : `/${(await this.placeOf(folder)).path}`;
  }

  async #listed(item: Pick<Folder, "id" | "driveId" | "inheritedPermissionsDisabled">): Promise<Audience> {
    return this.#audience(await listPermissions(this.#client, item.id), item);
  }

  async #audience(
    permissions: DrivePermission[] | null,
    item: Pick<Folder, "driveId" | "inheritedPermissionsDisabled">,
  ): Promise<Audience> {
    if (permissions === null) return { acl: nobody, expires: false };
    const names = new Map<string, string>();
    for (const id of new Set(permissions.map(originOf))) {
      const name = id === null ? null : await this.#nameOf(id);
      if (id !== null && name !== null) names.set(id, name);
    }
    const expires = permissions.some(({ expirationTime }) => Date.parse(expirationTime ?? "") > this.#rules.nowMs);
    const restrictions = this.#drives.get(item.driveId ?? "")?.restrictions ?? {};
    return { acl: aclOfPermissions(permissions, item, { ...this.#rules, restrictions }, names), expires };
  }

  #once(id: string, find: () => Promise<Audience>): Promise<Audience> {
    const found = this.#granted.get(id) ?? find();
    this.#granted.set(id, found);
    return found;
  }

  #folder(id: string): Promise<Folder | null> {
    const found = this.#folders.get(id) ?? findFile(this.#client, id);
    this.#folders.set(id, found);
    return found;
  }
}
