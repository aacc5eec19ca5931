import { anyone, principalKey } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";

/** The directory as the platform resolves it: accounts by verified address, and groups through groups. */
export class MemoryDirectory {
  readonly #accounts = new Map<string, Set<string>>();
  readonly #groupsOf = new Map<string, Set<string>>();

  static async read(entries: AsyncIterable<DirectoryEntry> | Iterable<DirectoryEntry>): Promise<MemoryDirectory> {
    const directory = new MemoryDirectory();
    for await (const entry of entries) {
      if (entry.type === "user") {
        for (const email of entry.emails) add(directory.#accounts, email.toLowerCase(), principalKey(entry.principal));
      } else if (entry.type === "group") {
        for (const member of entry.members)
          add(directory.#groupsOf, principalKey(member), principalKey(entry.principal));
      }
    }
    return directory;
  }

  /** What somebody with this address holds. */
  heldBy(email: string): ReadonlySet<string> {
    const held = new Set([principalKey(anyone)]);
    const open = [...(this.#accounts.get(email.toLowerCase()) ?? [])];
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (held.has(key)) continue;
      held.add(key);
      open.push(...(this.#groupsOf.get(key) ?? []));
    }
    return held;
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key) ?? new Set();
  map.set(key, values.add(value));
}
