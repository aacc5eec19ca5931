import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { ItemConfig } from "./config.ts";
import type { ItemListing } from "./pages.ts";
import { parsePath, select } from "./path.ts";
import { mentionedBy, namesOf, type Readers } from "./readers.ts";

/**
 * The groups as the service lists them, and a user for each address that a group or an item names: who has that address
 * verified in the portal is that user.
 */
export async function* readItemDirectory(
  config: ItemConfig,
  readers: Readers | null,
  listing: ItemListing,
): AsyncIterable<DirectoryEntry> {
  if (readers === null) return;
  const addresses = new Set<string>();
  const note = (names: string[]) => {
    for (const name of names) if (name.includes("@")) addresses.add(name.toLowerCase());
  };
  const groupId = parsePath(config.groupId);
  const groupMembers = parsePath(config.groupMembers);
  for await (const { items } of listing.listGroups?.() ?? []) {
    for (const group of items) {
      const [name] = namesOf([select(group, groupId)]) ?? [];
      // Members that cannot be read are none: nobody is in by a guess.
      const members = namesOf(select(group, groupMembers)) ?? [];
      if (name === undefined || name.includes("@")) continue;
      note(members);
      yield { type: "group", principal: readers.principalOf(name), name, members: members.map(readers.principalOf) };
    }
  }
  for await (const { items } of listing.list(null)) for (const item of items) note(mentionedBy(readers, item));
  for (const email of addresses) {
    yield { type: "user", principal: readers.principalOf(email), name: email, emails: [email] };
  }
}
