import { gdriveConfigSchema, type GdriveConfig, type GdriveSecrets } from "../../src/google/config.ts";
import { gdriveConnector } from "../../src/google/gdrive-connector.ts";
import type { PermissionHarness, Who } from "../describe-permissions.ts";
import { longTitle } from "../long-names.ts";
import { fakeRootId, type FakeFile, type FakePermission } from "./fake-drive.ts";
import { startFakeGoogle, type FakeGoogle } from "./start-fake-google.ts";

export const archive = "archive@corp.example";
export const sharedDriveId = "0ASharedDrive";

export type DriveHarness = PermissionHarness<GdriveConfig, GdriveSecrets> & { google: FakeGoogle; root: string };

/**
 * A Workspace with ann and bob; eve is of another company. Documents lie in My Drive or in a shared drive.
 *
 * @param domain of the Workspace, whose documents archive reads
 */
export async function createDriveHarness(
  where: "my-drive" | "shared-drive",
  config: Partial<GdriveConfig> = {},
  domain = "corp.example",
): Promise<DriveHarness> {
  const user = `archive@${domain}`;
  const organizer: FakePermission = { type: "user", role: "organizer", emailAddress: user };
  const owner: FakePermission = { type: "user", role: "owner", emailAddress: user };
  const google = await startFakeGoogle(user);
  const { drive, directory } = google;
  const inDrive = where === "shared-drive";
  const root = inDrive ? sharedDriveId : fakeRootId;
  if (inDrive) drive.addDrive(sharedDriveId, "Projects", [organizer]);
  for (const name of ["ann", "bob", "archive"]) directory.users.push({ primaryEmail: `${name}@${domain}` });

  const emailOf = (person: string) => `${person}@${person === "eve" ? "partner.example" : domain}`;
  const destroyed = new Map<string, string>();
  const require = (name: string): FakeFile => {
    const found = drive.find(root, name);
    if (found === undefined) throw new Error(`there is no "${name}"`);
    return found;
  };
  const toPermission = (who: Who): FakePermission => {
    if (who === "anyone") return { type: "anyone", role: "reader", allowFileDiscovery: false };
    if ("user" in who) return { type: "user", role: "reader", emailAddress: emailOf(who.user) };
    if ("group" in who) return { type: "group", role: "reader", emailAddress: `${who.group}@${domain}` };
    return { type: "domain", role: "reader", domain: who.domain, allowFileDiscovery: true };
  };
  const grantsOf = (allow: readonly Who[]) => [...(inDrive ? [] : [owner]), ...allow.map(toPermission)];
  const split = (name: string) => {
    const at = name.lastIndexOf("/");
    return { folder: name.slice(0, Math.max(0, at)), base: name.slice(at + 1) };
  };

  const given = gdriveConfigSchema.parse({
    user,
    drives: inDrive ? "shared-drives" : "my-drive",
    driveIds: inDrive ? [sharedDriveId] : [],
    endpoint: google.endpoint,
    allowPrivateHosts: true,
    ...config,
  });
  return {
    google,
    root,
    connector: gdriveConnector,
    config: given,
    secrets: { serviceAccountKey: google.tokens.keyFile() },
    refOf: (name) => drive.find(root, name)?.id ?? destroyed.get(name) ?? `no file "${name}"`,
    async put(name, text) {
      const found = drive.find(root, name);
      if (found === undefined) {
        const { folder, base } = split(name);
        const parentId = drive.ensureFolder(root, folder);
        drive.add({ name: base, parentId, mimeType: "text/markdown", content: Buffer.from(text) });
        return;
      }
      if (found.trashed) drive.update(found.id, { trashed: false });
      if (found.content.toString() !== text) drive.write(found.id, text);
    },
    async remove(name) {
      // Into the trash in one place, for good in the other.
      const { id } = require(name);
      if (!inDrive) return drive.update(id, { trashed: true });
      destroyed.set(name, id);
      drive.destroy(id);
    },
    async move(from, to) {
      const { folder, base } = split(to);
      drive.update(require(from).id, { name: base, parentId: drive.ensureFolder(root, folder) });
    },
    async moveFolder(from, to) {
      const { folder, base } = split(to);
      drive.update(require(from).id, { name: base, parentId: drive.ensureFolder(root, folder) });
    },
    addParts: inDrive
      ? async (count) => {
          for (let number = 0; number < count; number += 1) {
            const id = `${sharedDriveId}${number}`;
            drive.addDrive(id, `Project ${number}`, [organizer]);
            given.driveIds.push(id);
            drive.add({
              name: "part.md",
              parentId: id,
              mimeType: "text/markdown",
              content: Buffer.from(`Of drive ${number}.`),
            });
          }
        }
      : { none: "My Drive is one." },
    async breakItem(name) {
      const file = require(name);
      const before = file.content.toString();
      file.download = "cut";
      drive.write(file.id, "a transfer that breaks off");
      return async () => {
        // No feed tells of it.
        Object.assign(file, { download: null, content: Buffer.from(before) });
      };
    },
    async vanish() {
      if (!inDrive) {
        await google.stop();
        return () => google.start();
      }
      const shared = drive.drives.get(sharedDriveId)!;
      shared.isMember = false;
      return async () => void (shared.isMember = true);
    },
    setClock: async (aheadMs) => void (drive.aheadMs = aheadMs),
    // No limit of names is published.
    names: { longest: [longTitle(1000)] },
    remote: {
      trouble: google.trouble,
      aboutAll:
        /\/token|\/about\?|files\/root|startPageToken|\/files\?|changes\?|drives\/\w+\?|files\/0A\w+\/permissions/,
      tellsReaders: inDrive
        ? /\/files\/[^?]*\/permissions/
        : { none: "the list of My Drive's files tells their permissions" },
      tellsMembers: inDrive ? /\/members\?|\/files\/(?!0A)[^?]*\/permissions/ : /\/members\?/,
      expireToken: () => google.tokens.expireAll(),
      staleCursor(status) {
        drive.staleStatus = status;
        drive.forgetFeed();
        drive.staleLists = 1;
      },
    },
    emailOf,
    async setGroup(group, members) {
      directory.groups.set(
        `${group}@${domain}`,
        members.map((member) =>
          member.startsWith("group:")
            ? { type: "GROUP", email: `${member.slice("group:".length)}@${domain}` }
            : { type: "USER", email: emailOf(member) },
        ),
      );
    },
    async share(name, allow) {
      const file = require(name);
      drive.update(file.id, { permissions: grantsOf(allow) });
      for (let id = file.parentId; drive.files.has(id); id = drive.files.get(id)!.parentId) {
        if (drive.files.get(id)!.permissions.length > (inDrive ? 0 : 1))
          drive.update(id, { permissions: grantsOf([]) });
      }
    },
    async shareFolder(folder, allow) {
      drive.update(drive.ensureFolder(root, folder), { permissions: grantsOf(allow) });
    },
    async breakPermissions(name) {
      const file = require(name);
      drive.update(file.id, { canShare: false });
      return async () => drive.update(file.id, { canShare: true });
    },
    supports: { groups: true, nestedGroups: true, deny: false, domain: true, anyone: true },
    close: () => google.stop(),
  };
}
