import type { FakeDrive, FakeItem, FakeTenant } from "./fake-tenant.ts";

/** What a token of the feed stands for: a listing from its start or the changes since a moment, and the page in it. */
type FeedToken = { since: number | null; until: number; page: number };

export type FeedAnswer<T> = { stale: true } | { stale: false; items: T[]; next: string | null; delta: string | null };

type NamedItem = { item: FakeItem; sharedChanged: boolean };

/**
 * driveItem: delta. A listing gives what was there when it began; its delta link reports what changed since then, so
 * that nothing is missed in between. Changes of sharing show only to whom asked for them, and on folders without
 * the annotation, as the service does it.
 */
export function readFeed(
  tenant: FakeTenant,
  drive: FakeDrive,
  token: string | null,
  asked: { sharing: boolean; parents: boolean; reader: string | null },
): FeedAnswer<NamedItem> {
  const { sharing, parents, reader } = asked;
  return pageOfFeed(tenant, token, `${drive.id} ${reader} ${sharing} ${parents}`, (since, until) =>
    since === null ? listItems(drive, until) : listChanges(drive, since, until, asked),
  );
}

/**
 * @param name of the feed
 * @param list what was there at the moment `until`, or what changed since another one
 */
export function pageOfFeed<T>(
  tenant: FakeTenant,
  token: string | null,
  name: string,
  list: (since: number | null, until: number) => T[],
): FeedAnswer<T> {
  const at: FeedToken = token === null ? { since: null, until: tenant.clock, page: 0 } : decode(token);
  if (token !== null && (at.since ?? at.until) < tenant.oldestToken) return { stale: true };
  const { pageSize } = tenant;
  // A fresh delta link runs up to now; its further pages stay with that moment.
  const until = at.since !== null && at.page === 0 ? tenant.clock : at.until;
  const all = tenant.lists.of(`${name} ${at.since} ${until}`, () => list(at.since, until));
  const items = all.slice(at.page * pageSize, (at.page + 1) * pageSize);
  const isLast = (at.page + 1) * pageSize >= all.length;
  return {
    stale: false,
    items,
    next: isLast ? null : encode({ ...at, until, page: at.page + 1 }),
    delta: isLast ? encode({ since: until, until, page: 0 }) : null,
  };
}

function listItems(drive: FakeDrive, until: number): NamedItem[] {
  // They stand in their order. What was deleted after the listing began keeps its place, so that no page shifts.
  return [...drive.items.values()]
    .filter((item) => !item.deleted || item.changedAt > until)
    .map((item) => ({ item, sharedChanged: false }));
}

function listChanges(
  drive: FakeDrive,
  since: number,
  until: number,
  asked: { sharing: boolean; parents: boolean },
): NamedItem[] {
  const isIn = (moment: number) => moment > since && moment <= until;
  const changed = [...drive.items.values()].filter(
    (item) => isIn(item.changedAt) || (asked.sharing && isIn(item.sharedAt) && !item.deleted),
  );
  const named = new Set(changed);
  // The root is always there.
  named.add(drive.items.get(drive.rootId)!);
  if (asked.parents) for (const item of changed) for (const parent of parentsOf(drive, item)) named.add(parent);
  return [...named]
    .sort((a, b) => a.order - b.order)
    .map((item) => ({ item, sharedChanged: asked.sharing && item.kind === "file" && isIn(item.sharedAt) }));
}

function parentsOf(drive: FakeDrive, item: FakeItem): FakeItem[] {
  const parent = drive.items.get(item.parentId ?? "");
  return parent === undefined ? [] : [parent, ...parentsOf(drive, parent)];
}

function encode(token: FeedToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function decode(token: string): FeedToken {
  return JSON.parse(Buffer.from(token, "base64url").toString()) as FeedToken;
}
