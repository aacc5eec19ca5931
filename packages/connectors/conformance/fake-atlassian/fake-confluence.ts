import { answerConfluenceCloud } from "./confluence-cloud-routes.ts";
import { answerConfluenceDataCenter } from "./confluence-data-center-routes.ts";
import { startFakeSite, type FakeDeployment, type FakeSite } from "./fake-site.ts";

export type FakeSpace = { id: string; key: string; name: string; readers: Readers; isPublic: boolean };
/** What pages may lie in besides, in the cloud. */
export const containers = ["folder", "whiteboard", "database", "embed"] as const;
export type FakeContainer = (typeof containers)[number];
/** Ids of accounts and of groups, as the deployment has them. */
export type Readers = { users: string[]; groups: string[] };
export type FakeContent = {
  id: string;
  type: "page" | "blogpost" | "attachment" | FakeContainer;
  spaceId: string;
  title: string;
  /** In storage format; for an attachment its text. */
  body: string;
  parentId: string | null;
  version: number;
  /** By its own clock. */
  changedAt: string;
  /** null: unrestricted. */
  readRestriction: Readers | null;
  mediaType: string | null;
  brokenBody: boolean;
  brokenRestriction: boolean;
};

/** What the routes of both deployments answer from. */
export type ConfluenceState = {
  site: FakeSite;
  spaces: Map<string, FakeSpace>;
  contents: Map<string, FakeContent>;
  /** Contents that the search has lost sight of. */
  unindexed: Set<string>;
  /** Ids of the groups that give access to Confluence itself. */
  entrances: Set<string>;
  /**
   * What this version of Data Center has an answer to, and this account; and whether the cloud says whom a container is
   * restricted to, which it does not (CONFCLOUD-82920).
   */
  tells: { spacePermissions: "everything" | "refuses" | "nothing"; activeUsers: boolean; containers: boolean };
  maySeeSpace(accountId: string | null, space: FakeSpace): boolean;
  /** What Confluence itself would decide. */
  mayView(accountId: string | null, content: FakeContent): boolean;
  listOf(accountId: string | null, spaceId: string, types: readonly FakeContent["type"][]): FakeContent[];
  attachmentsOf(content: FakeContent): FakeContent[];
};

export type FakeConfluence = ConfluenceState & {
  /** How far its clock is ahead of ours. */
  aheadMs: number;
  addSpace(key: string, readers: Readers): FakeSpace;
  removeSpace(space: FakeSpace): () => void;
  add(space: FakeSpace, content: Partial<FakeContent> & Pick<FakeContent, "title">): FakeContent;
  /** Changes the title, the body, or both, which makes a new version. */
  edit(content: FakeContent, change: { title?: string; body?: string }): void;
  trash(content: FakeContent): void;
  /** Out of the space's trash, as it was. */
  restore(content: FakeContent): void;
  close(): Promise<void>;
};

/** A Confluence site that keeps what is put into it; an account is shown only what it may view. */
export async function startFakeConfluence(deployment: FakeDeployment = "cloud"): Promise<FakeConfluence> {
  const spaces = new Map<string, FakeSpace>();
  const contents = new Map<string, FakeContent>();
  /** What was ever attached to a page, by its id. */
  const attached = new Map<string, string[]>();
  const entrances = new Set<string>();
  let nextId = 1000;

  const answer = deployment === "cloud" ? answerConfluenceCloud : answerConfluenceDataCenter;
  const site = await startFakeSite(deployment, "/confluence", (asked) => answer(fake, asked));
  const admits = (accountId: string | null, { users, groups }: Readers) =>
    accountId !== null &&
    site.isIn(accountId, entrances) &&
    (users.includes(accountId) || site.isIn(accountId, groups));
  const maySeeSpace = (accountId: string | null, space: FakeSpace) =>
    space.isPublic || admits(accountId, space.readers);
  const mayView = (accountId: string | null, content: FakeContent): boolean => {
    const space = spaces.get(content.spaceId);
    if (space === undefined || !maySeeSpace(accountId, space)) return false;
    for (let at: FakeContent | undefined = content; at !== undefined; at = contents.get(at.parentId ?? "")) {
      if (at.readRestriction !== null && !admits(accountId, at.readRestriction)) return false;
    }
    return true;
  };

  const now = () => new Date(Date.now() + fake.aheadMs).toISOString();
  const fake: FakeConfluence = {
    site,
    aheadMs: 0,
    spaces,
    contents,
    unindexed: new Set(),
    entrances,
    tells: { spacePermissions: "everything", activeUsers: true, containers: false },
    maySeeSpace,
    mayView,
    listOf: (accountId, spaceId, types) =>
      site.lists.of(`${accountId} ${spaceId} ${types.join()}`, () =>
        [...contents.values()].filter(
          (content) => content.spaceId === spaceId && types.includes(content.type) && mayView(accountId, content),
        ),
      ),
    attachmentsOf: ({ id }) => (attached.get(id) ?? []).flatMap((attachment) => contents.get(attachment) ?? []),
    addSpace(key, readers) {
      const space = { id: String(nextId++), key, name: `Space ${key}`, readers, isPublic: false };
      spaces.set(space.id, space);
      return space;
    },
    removeSpace(space) {
      spaces.delete(space.id);
      return () => void spaces.set(space.id, space);
    },
    add(space, content) {
      const number = nextId++;
      const added: FakeContent = {
        id: content.type === "attachment" ? `att${number}` : String(number),
        type: "page",
        spaceId: space.id,
        body: "",
        parentId: null,
        version: 1,
        changedAt: now(),
        readRestriction: null,
        mediaType: null,
        brokenBody: false,
        brokenRestriction: false,
        ...content,
      };
      contents.set(added.id, added);
      const { type, parentId } = added;
      if (type === "attachment" && parentId !== null)
        attached.set(parentId, [...(attached.get(parentId) ?? []), added.id]);
      return added;
    },
    edit(content, change) {
      Object.assign(content, change, { changedAt: now() });
      content.version += 1;
    },
    trash(content) {
      contents.delete(content.id);
    },
    restore(content) {
      // Where it was: what lists walks by id.
      const all = [...contents.values(), content].sort((a, b) => Number(a.id) - Number(b.id));
      contents.clear();
      for (const each of all) contents.set(each.id, each);
    },
    close: () => site.close(),
  };
  return fake;
}
