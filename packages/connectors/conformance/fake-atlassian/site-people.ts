import { mayRead, type Acl } from "@anneal/core/access/acl";
import type { Who } from "../describe-permissions.ts";
import type { MemoryDirectory } from "../memory-directory.ts";
import type { FakeSite } from "./fake-site.ts";

/** Who works at the sites of the tests. */
export const people = ["ann", "bob", "eve"];

export const emailOf = (person: string) => `${person}@acme.example`;

/** Accounts for all of them, in the group of a product's users, in which the reading account is too. */
export function addPeople(site: FakeSite, group: string): void {
  for (const person of people) site.addAccount(person);
  site.setGroup(group, [...people.map(site.idOf), site.bot.accountId]);
}

/** As the kit names members: people, and groups as "group:name". */
export function setGroupOf(site: FakeSite, group: string, members: readonly string[]): void {
  const isGroup = (member: string) => member.startsWith("group:");
  site.setGroup(
    group,
    members.filter((member) => !isGroup(member)).map(site.idOf),
    members.filter(isGroup).map((member) => site.groupIdOf(member.slice("group:".length))),
  );
}

/** The ids of the people and groups that the kit shares something with. */
export function idsOf(site: FakeSite, who: readonly Who[]): { users: string[]; groups: string[] } {
  return {
    users: who.flatMap((one) => (typeof one === "object" && "user" in one ? site.idOf(one.user) : [])),
    groups: who.flatMap((one) => (typeof one === "object" && "group" in one ? site.groupIdOf(one.group) : [])),
  };
}

/** Which of them the platform would let read, by this directory. */
export function readersAmong(acl: Acl | null | undefined, directory: MemoryDirectory): string[] {
  return people.filter((person) => mayRead(acl, directory.heldBy(emailOf(person))));
}
