import { randomUUID } from "node:crypto";
import { SettledLists } from "../settled-lists.ts";

/** Somebody or something that a permission names, as Graph's sharePointIdentitySet does. */
export type FakeIdentity = {
  user?: { id: string; displayName?: string };
  group?: { id: string; displayName?: string };
  siteUser?: { id?: string; loginName?: string };
  siteGroup?: { id: string; displayName?: string; loginName?: string };
};

export type FakePermission = {
  id: string;
  roles: string[];
  grantedToV2?: FakeIdentity;
  grantedToIdentitiesV2?: FakeIdentity[];
  link?: { scope: string; type: string };
  expirationDateTime?: string;
  hasPassword?: boolean;
  /** The folder that it was given on. */
  inheritedFrom?: { path: string };
};

export type FakeItem = {
  id: string;
  driveId: string;
  kind: "root" | "folder" | "file";
  name: string;
  parentId: string | null;
  content: Buffer;
  /** Of `content`: "2.0" is published, "2.1" a draft. */
  versionId: string;
  /** Versions before the current one, the oldest first. */
  earlier: { id: string; content: Buffer }[];
  checkedOut: boolean;
  /** Place in a listing: parents come before their children. */
  order: number;
  /** When it, its place or its content changed last, and when its sharing did. */
  changedAt: number;
  /** How far the server's clock was ahead when it was changed. */
  changedAheadMs: number;
  sharedAt: number;
  deleted: boolean;
  /** null inherits everything from its parent. */
  permissions: FakePermission[] | null;
};

export type FakeUser = {
  id: string;
  displayName: string;
  userPrincipalName: string;
  mail: string | null;
  proxyAddresses: string[];
  userType: "Member" | "Guest";
  accountEnabled: boolean;
};

export type FakeGroup = { id: string; displayName: string; groupTypes: string[]; members: string[]; owners: string[] };

export type FakeDrive = {
  id: string;
  name: string;
  items: Map<string, FakeItem>;
  rootId: string;
  site: { collectionId: string; path: string };
};

export type FakeMessage = {
  id: string;
  createdDateTime: string;
  lastModifiedDateTime: string;
  deletedDateTime: string | null;
  subject: string | null;
  from: { user: { displayName: string } };
  messageType: string;
  body: { contentType: string; content: string };
  policyViolation: { dlpAction: string } | null;
  replies: FakeMessage[];
  /** The moment of its last change; Graph tells it as a time. */
  changedAt: number;
};

/** A message that is not there any more, not even as a deleted one. `rootId` is null for the first of a thread. */
export type PurgedMessage = { id: string; rootId: string | null; changedAt: number };

export type FakeChannel = {
  id: string;
  displayName: string;
  membershipType: "standard" | "private" | "shared";
  createdDateTime: string;
  members: { userId: string; tenantId: string }[];
  messages: FakeMessage[];
  purged: PurgedMessage[];
  /** Where its files are; null until somebody first opens them. */
  files: { driveId: string; folderId: string } | null;
};

/** The state of a tenant, and hands to change it with as its users and administrators would. */
export class FakeTenant {
  readonly id = randomUUID();
  readonly clientId = randomUUID();
  clientSecret = `secret-${randomUUID()}`;
  /** What was uploaded to the app registration: PEM, or nothing. */
  certificate: string | null = null;
  readonly scopes = new Set([
    "Sites.FullControl.All",
    "Sites.Read.All",
    "User.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "SharePoint Sites.FullControl.All",
    "Channel.ReadBasic.All",
    "ChannelMessage.Read.All",
    "ChannelMember.Read.All",
  ]);
  verifiedDomains = ["contoso.example", "contoso.onmicrosoft.example"];
  readonly users = new Map<string, FakeUser>();
  readonly groups = new Map<string, FakeGroup>();
  readonly drives = new Map<string, FakeDrive>();
  readonly lists = new SettledLists();
  /** Of the one site: what "/sites/team" has. */
  readonly siteCollectionId = randomUUID();
  readonly siteDriveIds: string[] = [];
  /** SharePoint's own groups, by their id in the site, and the login names that are in them. */
  readonly siteGroups = new Map<number, { title: string; logins: string[] }>();
  /** Of login names that are in use again: the account that SharePoint's groups hold, which is gone. */
  readonly formerAccounts = new Map<string, string>();
  /** Those of other sites, by path. */
  readonly groupsOfSites = new Map<string, FakeTenant["siteGroups"]>();
  /** Names of users who own every site: they see all that is in it and everything that is granted. */
  readonly siteOwners = new Set<string>();
  /** The channels of each team, by the team's id. */
  readonly teams = new Map<string, FakeChannel[]>();
  /** Ids of channels whose messages cannot be had. */
  readonly brokenChannels = new Set<string>();
  /** Channels whose members are not told. */
  readonly brokenMembers = new Set<string>();
  /**
   * Ids of channels of whose messages there is no feed, with the status of the answer: 200 that says nothing of messages, a
   * refusal, or a fault of the service.
   */
  readonly feedlessChannels = new Map<string, 200 | 400 | 403 | 404 | 500>();
  /** Ids of messages that cannot be asked for by them. */
  readonly brokenMessages = new Set<string>();
  /** Ids of teams and channels whose listing is not what it should be, and of messages that are not, nor their replies. */
  readonly garbled = new Set<string>();
  /** Ids of messages that are found, while their replies are not when asked for alone. */
  readonly lostReplies = new Set<string>();
  /**
   * What the feed of a channel's messages names when somebody replies, in each reading of "chatMessage: delta": nothing
   * ("without the replies"), the reply, or the first message of the thread.
   */
  feedNames: "messages" | "replies" | "threads" = "messages";
  /** How the feed of messages says that a token is too old: 410, or 400 with a code. */
  staleStatus: 410 | 400 = 410;
  /** Ids of channels whose files' folder cannot be had, or not understood, and of those of which Graph says that there is none. */
  readonly brokenFolders = new Set<string>();
  readonly garbledFolders = new Set<string>();
  readonly deniedFolders = new Set<string>();
  readonly userDriveIds = new Map<string, string>();
  /** Ids of items whose content, or whose permissions, cannot be had. */
  readonly brokenContent = new Set<string>();
  readonly brokenPermissions = new Set<string>();
  /** Ids of items that cannot be asked for by their id. */
  readonly brokenItems = new Set<string>();
  /** Ids of items whose versions cannot be listed. */
  readonly brokenVersions = new Set<string>();
  /** Ids of items whose transfer breaks off in the middle. */
  readonly brokenTransfers = new Set<string>();
  /** Ids of drives that the application may not read any more. */
  readonly closedDrives = new Set<string>();
  vanished = false;
  /** Changes of sharing leave no trace in any feed. */
  hidesSharing = false;
  /** Tokens of the feed from before this moment are too old. */
  oldestToken = 0;
  /** Of every collection; small, so that a few documents make several pages. */
  pageSize = 2;
  /** Access tokens below this number have expired. */
  firstValidToken = 1;
  clock = 1;
  /** How far the times that are told are ahead of the moments that they stand for. */
  aheadMs = 0;
  #order = 0;

  addUser(name: string, changes: Partial<FakeUser> = {}): FakeUser {
    const address = `${name}@${this.verifiedDomains[0]}`;
    const user: FakeUser = {
      id: randomUUID(),
      displayName: name,
      userPrincipalName: address,
      mail: address,
      proxyAddresses: [`SMTP:${address}`],
      userType: "Member",
      accountEnabled: true,
      ...changes,
    };
    this.users.set(name, user);
    return user;
  }

  addDrive(name: string, sitePath = "/sites/team"): FakeDrive {
    const id = `b!${randomUUID().replaceAll("-", "")}${name.replace(/\W/g, "")}`;
    const collectionId = sitePath === "/sites/team" ? this.siteCollectionId : randomUUID();
    const drive: FakeDrive = { id, name, items: new Map(), rootId: "", site: { collectionId, path: sitePath } };
    this.drives.set(id, drive);
    const root = this.#add(drive, "root", "root", null);
    root.permissions = [];
    drive.rootId = root.id;
    return drive;
  }

  /** @returns the living item at a path such as "guides/reset.md"; "" is the root */
  find(drive: FakeDrive, path: string): FakeItem | undefined {
    let item = drive.items.get(drive.rootId);
    for (const name of path === "" ? [] : path.split("/")) {
      const parentId = item?.id;
      item = [...drive.items.values()].find(
        (child) => !child.deleted && child.parentId === parentId && child.name === name,
      );
      if (item === undefined) return undefined;
    }
    return item;
  }

  require(drive: FakeDrive, path: string): FakeItem {
    const item = this.find(drive, path);
    if (item === undefined) throw new Error(`there is nothing at "${path}"`);
    return item;
  }

  put(drive: FakeDrive, path: string, text: string): FakeItem {
    const found = this.find(drive, path);
    const item = found ?? this.#add(drive, "file", nameOf(path), this.#folder(drive, folderOf(path)).id);
    const major = found === undefined ? 0 : Number.parseInt(found.versionId, 10);
    this.#setVersion(item, `${major + 1}.0`, Buffer.from(text));
    return item;
  }

  /** In a library with minor versions: only a later `publish` shows it to readers. */
  putDraft(drive: FakeDrive, path: string, text: string): FakeItem {
    const found = this.find(drive, path);
    const item = found ?? this.#add(drive, "file", nameOf(path), this.#folder(drive, folderOf(path)).id);
    const [major, minor] = (found?.versionId ?? "0.0").split(".").map(Number);
    this.#setVersion(item, `${major}.${minor! + 1}`, Buffer.from(text));
    return item;
  }

  publish(drive: FakeDrive, path: string): void {
    const item = this.require(drive, path);
    this.#setVersion(item, `${Number.parseInt(item.versionId, 10) + 1}.0`, item.content);
  }

  /** The feed names what was removed, not what was in it. */
  remove(drive: FakeDrive, path: string): void {
    const item = this.require(drive, path);
    this.#setDeleted(drive, item, true);
    this.#touch(item);
  }

  /** Out of the recycle bin, with the ids of before. */
  restore(drive: FakeDrive, item: FakeItem): void {
    this.#setDeleted(drive, item, false);
    this.#touch(item);
  }

  move(drive: FakeDrive, from: string, to: string): void {
    const item = this.require(drive, from);
    item.parentId = this.#folder(drive, folderOf(to)).id;
    item.name = nameOf(to);
    this.#touch(item);
  }

  share(item: FakeItem, permissions: FakePermission[] | null): void {
    item.permissions = permissions;
    if (!this.hidesSharing) item.sharedAt = this.#tick();
  }

  addChannel(
    teamId: string,
    displayName: string,
    membershipType: FakeChannel["membershipType"],
    members: FakeChannel["members"] = [],
  ): FakeChannel {
    const id = `19:${randomUUID().replaceAll("-", "")}@thread.tacv2`;
    const createdDateTime = this.now().toISOString();
    const none = { messages: [], purged: [], files: null };
    const channel: FakeChannel = { id, displayName, membershipType, createdDateTime, members, ...none };
    this.teams.set(teamId, [...(this.teams.get(teamId) ?? []), channel]);
    return channel;
  }

  /** @param folder its path in the drive; "" is the root, where private and shared channels have their files */
  openFiles(channel: FakeChannel, drive: FakeDrive, folder: string): void {
    channel.files = { driveId: drive.id, folderId: this.#folder(drive, folder).id };
  }

  post(thread: FakeMessage[], text: string, changes: Partial<FakeMessage> = {}): FakeMessage {
    const moment = this.#tick();
    const at = this.now().toISOString();
    const message: FakeMessage = {
      id: String(1_700_000_000_000 + moment),
      createdDateTime: at,
      lastModifiedDateTime: at,
      deletedDateTime: null,
      subject: null,
      from: { user: { displayName: "Ann" } },
      messageType: "message",
      body: { contentType: "text", content: text },
      policyViolation: null,
      replies: [],
      changedAt: moment,
      ...changes,
    };
    thread.push(message);
    return message;
  }

  /** What its author does to it, whoever reacts to it, or a policy of the organization. */
  revise(
    message: FakeMessage,
    changes: Partial<Pick<FakeMessage, "body" | "deletedDateTime" | "policyViolation">> = {},
  ): void {
    message.changedAt = this.#tick();
    message.lastModifiedDateTime = this.now().toISOString();
    Object.assign(message, changes);
  }

  /** As a deletion by a person: the message stays, without its words. */
  deleteMessage(message: FakeMessage): void {
    const { contentType } = message.body;
    this.revise(message, { deletedDateTime: this.now().toISOString(), body: { contentType, content: "" } });
  }

  /** As a retention policy does it, with all replies to it. */
  purge(channel: FakeChannel, { id }: FakeMessage): void {
    const changedAt = this.#tick();
    const root = channel.messages.find(
      (message) => message.id === id || message.replies.some((each) => each.id === id),
    );
    if (root === undefined) throw new Error(`there is no message ${id}`);
    if (root.id === id) channel.messages.splice(channel.messages.indexOf(root), 1);
    else root.replies = root.replies.filter((reply) => reply.id !== id);
    channel.purged.push({ id, rootId: root.id === id ? null : root.id, changedAt });
  }

  /** By the service's own clock. */
  now(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.clock * 1000 + this.aheadMs);
  }

  /** What Graph calls effective: the item's own, or its parents'. */
  permissionsOf(item: FakeItem): FakePermission[] {
    if (item.permissions !== null) return item.permissions;
    const parent = this.drives.get(item.driveId)?.items.get(item.parentId ?? "");
    return parent === undefined ? [] : this.permissionsOf(parent);
  }

  expireFeeds(): void {
    this.oldestToken = this.#tick();
  }

  #folder(drive: FakeDrive, path: string): FakeItem {
    const found = this.find(drive, path);
    return found ?? this.#add(drive, "folder", nameOf(path), this.#folder(drive, folderOf(path)).id);
  }

  #add(drive: FakeDrive, kind: FakeItem["kind"], name: string, parentId: string | null): FakeItem {
    const id = `01${randomUUID().replaceAll("-", "").toUpperCase()}`;
    this.#order += 1;
    const item: FakeItem = {
      id,
      driveId: drive.id,
      kind,
      name,
      parentId,
      content: Buffer.alloc(0),
      versionId: "",
      earlier: [],
      checkedOut: false,
      order: this.#order,
      changedAt: this.#tick(),
      changedAheadMs: this.aheadMs,
      sharedAt: 0,
      deleted: false,
      permissions: null,
    };
    drive.items.set(id, item);
    return item;
  }

  #setVersion(item: FakeItem, id: string, content: Buffer): void {
    if (item.versionId !== "") item.earlier.push({ id: item.versionId, content: item.content });
    item.versionId = id;
    item.content = content;
    this.#touch(item);
  }

  #setDeleted(drive: FakeDrive, item: FakeItem, deleted: boolean): void {
    item.deleted = deleted;
    for (const child of drive.items.values()) if (child.parentId === item.id) this.#setDeleted(drive, child, deleted);
  }

  #touch(item: FakeItem): void {
    item.changedAt = this.#tick();
    item.changedAheadMs = this.aheadMs;
  }

  #tick(): number {
    this.clock += 1;
    return this.clock;
  }
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
