import type { Random } from "@anneal/sizing/placement/random";

/** An account at a vendor. Whoever of us has one of its addresses holds it; a vendor writes addresses as it likes. */
export type Account = { type: "account"; directory: Directory; id: string; emails: string[] };
/** `members` are complete, and may be groups, of which some contain each other. A domain is a vendor's whole organization. */
export type Group = {
  type: "group";
  kind: "group" | "domain";
  directory: Directory;
  id: string;
  members: (Account | Group)[];
};
/** Where accounts and groups are known: a tenant of a vendor, or one source alone. Ids are the same in each. */
export type Directory = { sourceIndex: number; source: string; tenant: string; isVendors: boolean };
export type Person = { type: "person"; email: string; userId: string };
/** Whom an access list names: `stranger` is somebody whom no directory knows. */
export type Named =
  | Account
  | Group
  | Person
  | { type: "members" }
  | { type: "anyone" }
  | { type: "stranger"; directory: Directory; kind: (typeof strangerKinds)[number]; id: string };
const strangerKinds = ["user", "group", "domain", "public"] as const;
/** `closed`: whom a container does not let through to the document; it explains, and admits nobody. */
export type AccessList = { allow: Named[]; deny: Named[]; closed?: { container: string; to: Named[] }[] };

export type World = {
  directories: Directory[];
  people: Person[];
  accounts: Account[];
  groups: Group[];
  domains: Group[];
  /** Of each source: for documents that bring no list. */
  defaults: AccessList[];
};

/** Too long to be stored as they are, and different at their end alone. */
const longIds = ["1", "2", "3"].map((end) => `${"ou=staff,".repeat(150)}${end}`);
/** What a key's parts are glued and escaped by, case, and what looks alike. */
const awkwardIds = ["a:b", "a%3Ab", "A:B", "a b", "ä", "a\u0308", "-", "*", "anneal:members", "群组/1", ...longIds];
const groupsPerDirectory = 40;

/**
 * People with accounts in several directories whose ids are the same and mean others: two tenants of one vendor, and
 * two sources of one database.
 */
export function makeWorld(random: Random, people: number): World {
  const directories: Directory[] = [
    { sourceIndex: 0, source: "microsoft", tenant: "tenant-1", isVendors: true },
    { sourceIndex: 1, source: "microsoft", tenant: "tenant-2", isVendors: true },
    { sourceIndex: 2, source: "postgres", tenant: "db/shop", isVendors: false },
    { sourceIndex: 3, source: "postgres", tenant: "db/shop", isVendors: false },
  ];
  const world: World = {
    directories,
    people: Array.from({ length: people }, (_, index) => ({
      type: "person",
      email: `person-${index}@example.com`,
      userId: `user-${index}`,
    })),
    accounts: [],
    groups: [],
    domains: [],
    defaults: [],
  };
  for (const directory of directories) {
    // A person in ten has no account there, and id n is somebody else's in each directory.
    const holders = shuffle(random, world.people).slice(0, Math.ceil(people * 0.9));
    const accounts = holders.map((person, index): Account => {
      const emails = [index % 3 === 0 ? person.email.toUpperCase() : person.email];
      // An address that an account shares with somebody else's.
      if (index % 25 === 0) emails.push(random.pick(world.people).email);
      return { type: "account", directory, id: awkwardIds[index] ?? `id-${index}`, emails };
    });
    world.accounts.push(...accounts);
    const domains = directory.isVendors ? makeDomains(directory, accounts) : [];
    world.domains.push(...domains);
    world.groups.push(...makeGroups(random, directory, accounts, domains));
  }
  world.defaults = directories.map((_, index) => makeDefault(random, world, index));
  return world;
}

/** Each has its half of the accounts; the second is called as a group is. */
function makeDomains(directory: Directory, accounts: Account[]): Group[] {
  return ["example.com", "id-20"].map((id, half) => {
    const members = accounts.filter((_, index) => index % 2 === half);
    return { type: "group", kind: "domain", directory, id, members };
  });
}

function makeGroups(random: Random, directory: Directory, accounts: Account[], domains: Group[]): Group[] {
  const groups = Array.from({ length: groupsPerDirectory }, (_, index): Group => {
    return { type: "group", kind: "group", directory, id: awkwardIds[index] ?? `id-${index}`, members: [] };
  });
  for (const [index, group] of groups.entries()) {
    group.members = shuffle(random, accounts).slice(0, 1 + random.below(8));
    const place = index % 10;
    // A chain of five groups, and two that are in each other.
    if ((place >= 1 && place <= 4) || place === 6) group.members.push(groups[index - 1]!);
    if (place === 6) groups[index - 1]!.members.push(group);
    if (index === 7) group.members.push(...domains.slice(0, 1));
  }
  return groups;
}

/** A source's default audience: everybody, nobody, a list; another one for each turn. */
function makeDefault(random: Random, world: World, turn: number): AccessList {
  switch (turn % 3) {
    case 0:
      return { allow: [{ type: "members" }], deny: [] };
    case 1:
      return { allow: [], deny: [] };
    default:
      return { allow: groupsOf(random, world, 5), deny: accountsOf(random, world, 10) };
  }
}

export function changeDefaults(random: Random, world: World): void {
  world.defaults = world.defaults.map((_, index) => makeDefault(random, world, index + 1));
}

/** Somebody joins, somebody leaves: of a group in five. */
export function changeMemberships(random: Random, { groups, domains, accounts }: World): void {
  for (const group of [...groups, ...domains]) {
    if (!random.chance(0.2)) continue;
    const known = accounts.filter(({ directory }) => directory === group.directory);
    group.members = [...group.members.slice(1), random.pick(known)];
  }
}

/** Made of null, a document brings no list, and its source's default audience counts. */
export type AccessKind = { name: string; make(random: Random, world: World): AccessList | null };

const accountsOf = (random: Random, { accounts }: World, count: number) => shuffle(random, accounts).slice(0, count);
const groupsOf = (random: Random, { groups }: World, count: number) => shuffle(random, groups).slice(0, count);
const domainsOf = (random: Random, { domains }: World, count: number) => shuffle(random, domains).slice(0, count);
const strangers = (random: Random, { directories }: World, count: number): Named[] =>
  Array.from({ length: count }, (_, index) => ({
    type: "stranger",
    directory: random.pick(directories),
    kind: strangerKinds[index % strangerKinds.length]!,
    id: `unknown-${index}`,
  }));

/** Every way in which a source's access list admits and refuses. */
export const accessKinds: readonly AccessKind[] = [
  { name: "nobody", make: () => ({ allow: [], deny: [] }) },
  { name: "one account", make: (random, world) => ({ allow: accountsOf(random, world, 1), deny: [] }) },
  { name: "several accounts", make: (random, world) => ({ allow: accountsOf(random, world, 12), deny: [] }) },
  {
    name: "a group, of groups and in circles",
    make: (random, world) => ({ allow: groupsOf(random, world, 1), deny: [] }),
  },
  { name: "several groups", make: (random, world) => ({ allow: groupsOf(random, world, 4), deny: [] }) },
  { name: "everybody of the workspace", make: () => ({ allow: [{ type: "members" }], deny: [] }) },
  { name: "anyone with the link", make: () => ({ allow: [{ type: "anyone" }], deny: [] }) },
  { name: "a person of ours", make: (random, { people }) => ({ allow: [random.pick(people)], deny: [] }) },
  {
    name: "groups but for accounts",
    make: (random, world) => ({ allow: groupsOf(random, world, 6), deny: accountsOf(random, world, 20) }),
  },
  {
    name: "everybody but for groups",
    make: (random, world) => ({ allow: [{ type: "members" }], deny: groupsOf(random, world, 3) }),
  },
  { name: "an organization", make: (random, world) => ({ allow: domainsOf(random, world, 1), deny: [] }) },
  {
    name: "an organization but for groups",
    make: (random, world) => ({ allow: domainsOf(random, world, 1), deny: groupsOf(random, world, 3) }),
  },
  {
    name: "everybody but for an organization",
    make: (random, world) => ({ allow: [{ type: "members" }], deny: domainsOf(random, world, 1) }),
  },
  {
    name: "anyone but for accounts",
    make: (random, world) => ({ allow: [{ type: "anyone" }], deny: accountsOf(random, world, 20) }),
  },
  {
    name: "denied to anyone",
    make: (random, world) => ({ allow: accountsOf(random, world, 5), deny: [{ type: "anyone" }] }),
  },
  {
    name: "ids of more than 1,000 bytes",
    make(random, { accounts, groups }) {
      const long = shuffle(
        random,
        [...accounts, ...groups].filter(({ id }) => longIds.includes(id)),
      );
      return { allow: long.slice(0, 3), deny: long.slice(3, 5) };
    },
  },
  { name: "the source's default audience", make: () => null },
  {
    name: "closed by folders",
    make(random, world) {
      const [admitted, ...others] = groupsOf(random, world, 3);
      return {
        allow: [...accountsOf(random, world, 3), admitted!],
        deny: [],
        closed: [
          { container: "/Reports", to: others },
          { container: "/Reports/Board", to: [{ type: "members" }, ...accountsOf(random, world, 10)] },
        ],
      };
    },
  },
  {
    name: "the same allowed and denied",
    make(random, world) {
      const both = [...accountsOf(random, world, 3), ...groupsOf(random, world, 1)];
      return { allow: both, deny: both };
    },
  },
  {
    name: "denied to everybody",
    make: (random, world) => ({ allow: accountsOf(random, world, 5), deny: [{ type: "members" }] }),
  },
  { name: "denials alone", make: (random, world) => ({ allow: [], deny: accountsOf(random, world, 5) }) },
  { name: "strangers", make: (random, world) => ({ allow: strangers(random, world, 4), deny: [] }) },
  {
    name: "a list of a thousand",
    make: (random, world) => ({
      allow: [...strangers(random, world, 1000), ...accountsOf(random, world, 5)],
      deny: [],
    }),
  },
  {
    name: "any of these",
    make(random, world) {
      const some = () => [
        ...accountsOf(random, world, random.below(4)),
        ...groupsOf(random, world, random.below(3)),
        ...strangers(random, world, random.below(3)),
      ];
      return { allow: some(), deny: random.chance(0.5) ? some() : [] };
    },
  },
];

/**
 * Who sees what, told from the lists alone: no key, no filter, no query. Whoever is denied by any way does not; whoever is
 * allowed by any way then does.
 */
export function sees(person: Person, { allow, deny }: AccessList): boolean {
  return !deny.some((named) => isMeant(person, named)) && allow.some((named) => isMeant(person, named));
}

function isMeant(person: Person, named: Named, within = new Set<Named>()): boolean {
  switch (named.type) {
    case "members":
    case "anyone":
      return true;
    case "stranger":
      return false;
    case "person":
      return named === person;
    case "account":
      return named.emails.some((email) => email.toLowerCase() === person.email);
    case "group":
      if (within.has(named)) return false;
      within.add(named);
      return named.members.some((member) => isMeant(person, member, within));
  }
}

function shuffle<T>(random: Random, values: readonly T[]): T[] {
  const shuffled = [...values];
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    const other = random.below(index + 1);
    [shuffled[index], shuffled[other]] = [shuffled[other]!, shuffled[index]!];
  }
  return shuffled;
}
