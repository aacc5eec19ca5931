import { randomUUID } from "node:crypto";
import type { Connector } from "../../src/connector.ts";
import type { MicrosoftSecrets } from "../../src/microsoft/config.ts";
import type { PermissionHarness, Who } from "../describe-permissions.ts";
import { longTitle } from "../long-names.ts";
import { grantGroup, grantUser, shareLink } from "./fake-grants.ts";
import type { FakeDrive, FakePermission } from "./fake-tenant.ts";
import { startFakeMicrosoft, type FakeMicrosoft } from "./start-fake-microsoft.ts";

export type DriveHarness<Config> = PermissionHarness<Config, MicrosoftSecrets> & {
  fake: FakeMicrosoft;
  drive: FakeDrive;
  breakPermissions(name: string): Promise<() => Promise<void>>;
};

/** Either kind of connector over the one drive of a fresh tenant, in which ann, bob and eve work. */
export async function createDriveHarness<Config>(
  connector: Connector<Config, MicrosoftSecrets>,
  options: {
    configOf(fake: FakeMicrosoft): Config;
    addDrive(fake: FakeMicrosoft): FakeDrive;
    /** Another drive that the source reads. */
    addMore?(harness: { fake: FakeMicrosoft; config: Config }, number: number): FakeDrive;
    /** How a document's content fails: it is locked, or its transfer breaks off. */
    fault: "locked" | "transfer";
  },
): Promise<DriveHarness<Config>> {
  const fake = await startFakeMicrosoft();
  const { tenant } = fake;
  for (const name of ["ann", "bob", "eve"]) tenant.addUser(name);
  const drive = options.addDrive(fake);
  /** Paths that are gone keep the ref that they had. */
  const lastIds = new Map<string, string>();
  const idOf = (name: string) => {
    const id = tenant.find(drive, name)?.id;
    if (id !== undefined) lastIds.set(name, id);
    return id ?? lastIds.get(name) ?? "missing";
  };
  const toPermission = (who: Who): FakePermission => {
    if (who === "anyone") return shareLink("anonymous");
    if ("user" in who) return grantUser(tenant, who.user);
    if ("group" in who) return grantGroup(tenant, who.group);
    throw new Error("Microsoft 365 shares with no other domain");
  };
  const faults = options.fault === "locked" ? tenant.brokenContent : tenant.brokenTransfers;
  const breakIn = (set: Set<string>, name: string) => {
    const { id } = tenant.require(drive, name);
    set.add(id);
    return async () => void set.delete(id);
  };

  const config = options.configOf(fake);
  const { addMore } = options;
  return {
    fake,
    drive,
    connector,
    config,
    secrets: { clientSecret: tenant.clientSecret },
    refOf: (name) => `${drive.id}/${idOf(name)}`,
    async put(name, text) {
      tenant.put(drive, name, text);
      idOf(name);
    },
    async remove(name) {
      idOf(name);
      tenant.remove(drive, name);
    },
    async restore(name) {
      tenant.restore(drive, drive.items.get(idOf(name))!);
    },
    async move(from, to) {
      tenant.move(drive, from, to);
    },
    async moveFolder(from, to) {
      tenant.move(drive, from, to);
    },
    ...(addMore && {
      async addParts(count: number) {
        for (let number = 0; number < count; number += 1) {
          tenant.put(addMore({ fake, config }, number), "part.md", `Of drive ${number}.`);
        }
      },
    }),
    breakItem: async (name) => breakIn(faults, name),
    async vanish() {
      tenant.vanished = true;
      return async () => void (tenant.vanished = false);
    },
    setClock: async (aheadMs) => void (tenant.aheadMs = aheadMs),
    // A name has at most 255 characters, a path 400.
    names: { longest: [`${longTitle(144)}/${longTitle(255)}`] },
    remote: {
      trouble: fake.trouble,
      // The drive is the only one.
      aboutAll: /\/token|\/sites\/|\/users|\/drives?$|\/root|\/me\?|\/channels(\?|$)/,
      tellsReaders: /\/permissions/,
      tellsMembers: /\/groups\/[^?]*\/(members|owners)/,
      expireToken: () => fake.expireTokens(),
      staleCursor: () => tenant.expireFeeds(),
    },
    close: () => fake.stop(),

    emailOf: (person) => tenant.users.get(person)?.mail ?? "",
    async setGroup(name, members) {
      const group = tenant.groups.get(name);
      const ids = members.map((member) => {
        const id = member.startsWith("group:")
          ? tenant.groups.get(member.slice("group:".length))?.id
          : tenant.users.get(member)?.id;
        if (id === undefined) throw new Error(`there is no "${member}"`);
        return id;
      });
      if (group !== undefined) group.members = ids;
      else {
        tenant.groups.set(name, { id: randomUUID(), displayName: name, groupTypes: [], members: ids, owners: [] });
      }
    },
    async share(name, allow) {
      tenant.share(tenant.require(drive, name), allow.map(toPermission));
    },
    async shareFolder(folder, allow) {
      tenant.share(tenant.require(drive, folder), allow.map(toPermission));
    },
    breakPermissions: async (name) => breakIn(tenant.brokenPermissions, name),
    supports: { groups: true, nestedGroups: true, deny: false, domain: false, anyone: true },
  };
}
