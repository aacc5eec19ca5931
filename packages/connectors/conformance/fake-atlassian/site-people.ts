import { mayRead, type Acl } from "@anneal/core/access/acl";
import type { MemoryDirectory } from "../memory-directory.ts";
import type { FakeSite } from "./fake-site.ts";

/** Who works at the sites of the tests. */
export const people = ["ann", "bob", "eve"];

export const idOf = (person: string) => `712020:${person}`;
export const groupIdOf = (group: string) => `group-id-${group}`;
export const emailOf = (person: string) => `${person}@acme.example`;

/** Accounts for all of them, in the group of a product's users, in which the reading account is too. */
export function addPeople(site: FakeSite, group: string): void {
  for (const person of people) site.addAccount(person);
  site.setGroup(group, [...people.map(idOf), site.bot.accountId]);
}

/** Which of them the platform would let read, by this directory. */
export function readersAmong(acl: Acl | null | undefined, directory: MemoryDirectory): string[] {
  return people.filter((person) => mayRead(acl, directory.heldBy(emailOf(person))));
}
