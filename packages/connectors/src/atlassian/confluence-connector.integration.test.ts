import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "../../conformance/describe-permissions.ts";
import {
  containers,
  startFakeConfluence,
  type FakeConfluence,
  type FakeContent,
  type FakeSpace,
  type Readers,
} from "../../conformance/fake-atlassian/fake-confluence.ts";
import { deployments, type FakeDeployment } from "../../conformance/fake-atlassian/fake-site.ts";
import {
  addPeople,
  emailOf,
  idsOf,
  people,
  readersAmong,
  setGroupOf,
} from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, fixedSequence, serviceAccountOf, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { longTitle } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import { confluenceConfigSchema, type AtlassianSecrets, type ConfluenceConfig } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A site whose users may all view its one space, "KB". */
async function startSite(deployment: FakeDeployment) {
  const fake = await startFakeConfluence(deployment);
  const users = fake.site.groupIdOf("confluence-users");
  addPeople(fake.site, "confluence-users");
  fake.entrances.add(users);
  const space = fake.addSpace("KB", { users: [], groups: [users] });
  const configOf = (config: Partial<ConfluenceConfig> = {}) =>
    confluenceConfigSchema.parse({ ...signInTo(fake.site), spaces: ["KB"], ...config });
  return { fake, space, trial: createTrial(confluenceConnector, fake.site, configOf) };
}

/** Nobody is kept out who does the restricting: the account that reads is always named. */
function restrictionOf({ site }: FakeConfluence, allow: readonly Who[]): Readers {
  const { users, groups } = idsOf(site, allow);
  return { users: [site.bot.accountId, ...users], groups };
}

/** @param folders where documents lie: in the cloud's folders, below pages, or all at the root */
async function createHarness(
  deployment: FakeDeployment,
  folders: "folder" | "page" | null,
  account: "person" | "service" = "person",
): Promise<PermissionHarness<ConfluenceConfig, AtlassianSecrets>> {
  const { fake, space, trial } = await startSite(deployment);
  const pages = new Map<string, FakeContent>();
  const made = new Map<string, FakeContent>();
  const folderOf = (path: string): FakeContent | null => {
    const title = path.split("/").slice(0, -1).join("/");
    if (title === "" || folders === null) return null;
    const folder = made.get(title) ?? fake.add(space, { type: folders, title, parentId: folderOf(title)?.id ?? null });
    made.set(title, folder);
    return folder;
  };
  const pageOf = (name: string) => pages.get(name)!;
  const isThere = (page: FakeContent | undefined): page is FakeContent =>
    page !== undefined && fake.contents.has(page.id);
  const signIn = account === "service" ? serviceAccountOf(fake.site) : null;
  return {
    connector: confluenceConnector,
    config: trial.configOf({ ...signIn?.config, hiddenRestrictions: "none" }),
    secrets: signIn?.secrets ?? trial.secrets,
    refOf: (name) => `KB/${pages.get(name)?.id ?? "none"}`,
    async put(name, text) {
      const body = `<p>${escape(text)}</p>`;
      const page = pages.get(name);
      if (isThere(page)) fake.edit(page, { body });
      else pages.set(name, fake.add(space, { title: name, body, parentId: folderOf(name)?.id ?? null }));
    },
    async remove(name) {
      fake.trash(pageOf(name));
    },
    async restore(name) {
      fake.restore(pageOf(name));
    },
    async move(from, to) {
      const page = pageOf(from);
      page.parentId = folderOf(to)?.id ?? null;
      fake.edit(page, { title: to });
      pages.set(to, page);
    },
    ...(folders !== null && {
      async moveFolder(from: string, to: string) {
        const folder = folderOf(`${from}/of`)!;
        folder.parentId = folderOf(to)?.id ?? null;
        made.set(to, folder);
        for (const [name, page] of pages) {
          if (name.startsWith(`${from}/`)) pages.set(to + name.slice(from.length), page);
        }
      },
    }),
    async breakItem(name) {
      pageOf(name).brokenBody = true;
      return async () => void (pageOf(name).brokenBody = false);
    },
    async vanish() {
      const restore = fake.removeSpace(space);
      return async () => restore();
    },
    // A title has at most 255 characters.
    names: { longest: [longTitle(255)] },
    setClock: async (aheadMs) => void (fake.aheadMs = aheadMs),
    remote: {
      trouble: fake.site.trouble,
      ...(account === "service" ? { expireToken: () => fake.site.expireTokens() } : {}),
      staleCursor: (status) => fake.site.expireCursor(status),
      tellsReaders: /permission|restriction/i,
      // The space is the only one.
      aboutAll: /oauth\/token|user\/current|\/spaces?\?|\/(pages|blogposts)\?|content\/(search|scan)/,
    },
    close: () => fake.close(),
    emailOf,
    async setGroup(group, members) {
      setGroupOf(fake.site, group, members);
    },
    async share(name, allow) {
      for (let at: FakeContent | undefined = pageOf(name); at; at = fake.contents.get(at.parentId ?? "")) {
        at.readRestriction = null;
      }
      space.isPublic = allow.includes("anyone");
      if (!space.isPublic) pageOf(name).readRestriction = restrictionOf(fake, allow);
    },
    async shareFolder(folder, allow) {
      folderOf(`${folder}/x`)!.readRestriction = restrictionOf(fake, allow);
    },
    async shutOut(name) {
      pageOf(name).readRestriction = idsOf(fake.site, [{ user: "ann" }]);
      return async () => void (pageOf(name).readRestriction = restrictionOf(fake, [{ user: "ann" }]));
    },
    async breakPermissions(name) {
      pageOf(name).brokenRestriction = true;
      return async () => void (pageOf(name).brokenRestriction = false);
    },
    supports: { groups: true, nestedGroups: deployment === "data-center", deny: false, domain: false, anyone: true },
  };
}

/** Each harness is a site of its own, which names groups as every other one does. */
const permissionsOf = (name: string, create: () => ReturnType<typeof createHarness>) =>
  describePermissions(name, create, create);

describeConnector("confluence cloud", () => createHarness("cloud", "folder", "service"), "http");
// Whom a folder is restricted to the cloud does not tell: what would be one is a document itself.
permissionsOf("confluence cloud", () => createHarness("cloud", "page"));
// Data Center has no folders.
describeConnector("confluence data-center", () => createHarness("data-center", null), "http");
permissionsOf("confluence data-center", () => createHarness("data-center", "page"));

const pathsOf = {
  cloud: {
    spaces: "/wiki/api/v2/spaces",
    sweep: "/wiki/rest/api/content/search",
    count: "/wiki/rest/api/search",
    files: "/media/",
  },
  "data-center": {
    spaces: "/rest/api/space",
    sweep: "/rest/api/content/scan",
    count: "/rest/api/search",
    files: "/download/",
  },
};

describe.each(deployments)("confluence %s", (deployment) => {
  const paths = pathsOf[deployment];
  let fake: FakeConfluence;
  let space: FakeSpace;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, space, trial } = await startSite(deployment));
  });
  afterEach(() => fake.close());

  const namedOnly = (...who: string[]): Readers =>
    restrictionOf(
      fake,
      who.map((user) => ({ user })),
    );

  it("shows each of 60 pages, however restricted above and below, to just those to whom Confluence shows it", async () => {
    const { site } = fake;
    const random = fixedSequence(7);
    site.setGroup("finance", [site.idOf("ann"), site.bot.accountId]);
    site.setGroup("board", [site.idOf("ann"), site.idOf("bob"), site.bot.accountId]);
    site.addAccount("guest");
    site.setGroup("outside", [site.idOf("eve"), site.idOf("guest")]);
    space.readers = { users: [site.idOf("bob")], groups: ["board", "outside"].map(site.groupIdOf) };
    const everybody = [...people, "guest"];
    const groups = ["finance", "board", "outside", "deleted"].map(site.groupIdOf);
    const pages: FakeContent[] = [];
    for (let index = 0; index < 60; index += 1) {
      const parent = pages[random(pages.length + 3)];
      const isContainer = random(5) === 0 && deployment === "cloud";
      const page = fake.add(space, {
        title: `Page ${index}`,
        body: `<p>${index}</p>`,
        type: isContainer ? containers[random(containers.length)]! : "page",
        parentId: parent?.id ?? null,
      });
      pages.push(page);
      if (random(2) === 0) continue;
      page.readRestriction = {
        users: [site.bot.accountId, ...everybody.map(site.idOf).filter(() => random(3) === 0)],
        groups: groups.filter(() => random(3) === 0),
      };
    }
    const liesInContainer = (page: FakeContent) => {
      const above: FakeContent[] = [];
      for (let at = fake.contents.get(page.parentId ?? ""); at; at = fake.contents.get(at.parentId ?? ""))
        above.push(at);
      return above.some(({ type }) => type !== "page");
    };
    const target = await trial.sync();
    const directory = await trial.directoryOf();
    let shown = 0;
    for (const page of pages.filter(({ type }) => type === "page")) {
      const acl = target.documents.get(`KB/${page.id}`)?.item.acl;
      expect(acl, page.title).toBeDefined();
      for (const person of everybody) {
        const read = mayRead(acl, directory.heldBy(emailOf(person)));
        const expected = !liesInContainer(page) && fake.mayView(site.idOf(person), page);
        expect(read, `${person} reads ${page.title}`).toBe(expected);
        shown += Number(read);
      }
    }
    expect(shown).toBeGreaterThan(20);
  });

  it("reads restrictions that name more than a search gives, and one that names only who was deleted as nobody's", async () => {
    const many = fake.add(space, { title: "Many", body: "<p>x</p>", readRestriction: namedOnly("ann", "bob", "eve") });
    const gone = fake.add(space, {
      title: "Gone",
      body: "<p>x</p>",
      readRestriction: { users: [fake.site.bot.accountId], groups: [fake.site.groupIdOf("deleted")] },
    });
    const target = await trial.sync();
    expect(await trial.readersOf(target, `KB/${many.id}`)).toEqual(people);
    expect(await trial.readersOf(target, `KB/${gone.id}`)).toEqual([]);
  });

  it("takes a page from those who lose the space, its page above or their group, without reading it again", async () => {
    const above = fake.add(space, { title: "Above", body: "<p>a</p>" });
    const page = fake.add(space, { title: "Below", body: "<p>b</p>", parentId: above.id });
    const ref = `KB/${page.id}`;
    const target = await trial.sync();
    expect(await trial.readersOf(target, ref)).toEqual(people);
    above.readRestriction = namedOnly("ann", "bob");
    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["acl", "acl", "checkpoint"]);
    expect(await trial.readersOf(target, ref)).toEqual(["ann", "bob"]);
    fake.site.setGroup("confluence-users", [fake.site.idOf("bob"), fake.site.bot.accountId]);
    expect(await trial.readersOf(target, ref)).toEqual(["bob"]);
    space.readers = { users: [fake.site.bot.accountId], groups: [] };
    await trial.sync(target);
    expect(await trial.readersOf(target, ref)).toEqual([]);
    expect(target.opened).toEqual([]);
  });

  it.each([["KB", "OPS"], ["KB"]])(
    "shows to nobody a space that the settings name and the account views no more, and reads nothing again",
    async (...spaces) => {
      const other = fake.addSpace("OPS", { users: [], groups: [fake.site.groupIdOf("confluence-users")] });
      fake.add(other, { title: "Runbook", body: "<p>y</p>" });
      const page = fake.add(space, { title: "Dismissals", body: "<p>names</p>" });
      const config = trial.configOf({ spaces });
      const target = await trial.sync(undefined, config);
      expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(people);
      const directory = await trial.directoryOf(config);
      const admitted = space.readers;
      space.readers = idsOf(fake.site, [{ user: "ann" }]);
      for (let syncs = 0; syncs < 2; syncs += 1) {
        // With no other space it is all that the source has.
        const ended = trial.sync(target, config).then(
          () => null,
          (error: unknown) => error,
        );
        expect(await ended).toEqual(spaces.length > 1 ? null : expect.objectContaining({ code: "SOURCE_NOT_FOUND" }));
        expect(readersAmong(target.documents.get(`KB/${page.id}`)?.item.acl, directory)).toEqual([]);
      }
      space.readers = admitted;
      await trial.sync(target, config);
      expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(people);
      expect(target.opened).toEqual([]);
    },
  );

  it("keeps who reads a space whose listing is out of order, and not refused", async () => {
    const other = fake.addSpace("OPS", { users: [], groups: [fake.site.groupIdOf("confluence-users")] });
    fake.add(other, { title: "Runbook", body: "<p>y</p>" });
    const page = fake.add(space, { title: "Open", body: "<p>x</p>" });
    const config = trial.configOf({ spaces: ["KB", "OPS"] });
    const target = await trial.sync(undefined, config);
    fake.site.trouble.begin(
      { kind: "busy", from: 0, count: Number.MAX_SAFE_INTEGER, waitSeconds: 3600 },
      createTestClock(),
    );
    await trial.sync(target, config, trial.secrets, createTestClock()).catch(() => undefined);
    fake.site.trouble.begin(null);
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(people);
  });

  it("keeps the pages of a space that the account views no more until a person confirms, and lets others go", async () => {
    const other = fake.addSpace("OPS", { users: [], groups: [fake.site.groupIdOf("confluence-users")] });
    const pages = Array.from({ length: 60 }, (_, index) =>
      fake.add(space, { title: `Page ${index}`, body: "<p>x</p>" }),
    );
    for (let index = 0; index < 50; index += 1) fake.add(other, { title: `Runbook ${index}`, body: "<p>y</p>" });
    const target = new MemoryTarget();
    const syncUnder = (confirmed: boolean) =>
      target.apply(
        confluenceConnector.read({
          config: trial.configOf({ spaces: [] }),
          secrets: trial.secrets,
          cursor: target.cursor,
          known: target.known(),
          // Less than half of all documents go, and all of one space.
          context: testContext({ deletions: { maxShare: 0.5, confirmed } }),
        }),
      );
    await syncUnder(false);
    other.readers = { users: [], groups: [] };
    fake.trash(pages[0]!);
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await syncUnder(false);
      expect(target.documents.size).toBe(59 + 50);
      expect(target.failures).toMatchObject([{ ref: "", error: { code: "CONFLICT", details: { missing: 50 } } }]);
      expect(target.failures[0]?.error.message).toContain('50 of 50 in "OPS"');
    }
    await syncUnder(true);
    expect([...target.documents.keys()].every((ref) => ref.startsWith("KB/"))).toBe(true);
    expect(target.documents.size).toBe(59);
  });

  it("closes a page to whom it was taken from even when its new version cannot be read", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>old</p>" });
    const target = await trial.sync();
    fake.edit(page, { body: "<p>new</p>" });
    page.readRestriction = namedOnly("ann");
    page.brokenBody = true;
    await trial.sync(target);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("old");
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(["ann"]);
    page.brokenBody = false;
    await trial.sync(target);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("new");
  });

  it("reads blog posts and attachments, these under their page's audience and only formats that can be parsed", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>", readRestriction: namedOnly("ann") });
    const posts = ["News", "More", "Even more", "Old"].map((title) =>
      fake.add(space, { type: "blogpost", title, body: "<p>y</p>" }),
    );
    const attach = (title: string, mediaType: string) =>
      fake.add(space, { type: "attachment", title, mediaType, body: "Figures.", parentId: page.id });
    const table = attach("figures & 50%.csv", "text/csv");
    attach("photo.bin", "application/octet-stream");
    const notes = attach("notes.md", "text/markdown");
    const target = await trial.sync();
    const refs = [page, ...posts, table, notes].map(({ id }) => `KB/${id}`).sort();
    expect([...target.documents.keys()].sort()).toEqual(refs);
    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    expect(target.documents.get(`KB/${table.id}`)).toMatchObject({ text: "Figures.", item: { mediaType: "text/csv" } });
    expect(await trial.readersOf(target, `KB/${table.id}`)).toEqual(["ann"]);
    await trial.sync(target, trial.configOf({ attachments: false, blogPosts: false }));
    expect([...target.documents.keys()]).toEqual([`KB/${page.id}`]);
  });

  it("reads an attachment again whose transfer broke off", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    fake.add(space, { type: "attachment", title: "a.txt", mediaType: "text/plain", body: "x", parentId: page.id });
    fake.site.answerOnce(paths.files, { bytes: Buffer.from("half of it"), cutOff: true });
    const target = await trial.sync();
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_UNREACHABLE"]);
    await trial.sync(target);
    expect(target.failures).toEqual([]);
    expect(target.opened).toHaveLength(1);
  });

  it("tells a first sync how many documents there are in its spaces, and reads all the same where the site does not", async () => {
    const other = fake.addSpace("OPS", space.readers);
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    fake.add(space, { type: "attachment", title: "a.txt", mediaType: "text/plain", body: "x", parentId: page.id });
    for (let index = 0; index < 199; index += 1) {
      fake.add(other, { type: index % 2 === 0 ? "page" : "blogpost", title: `Post ${index}`, body: "<p>y</p>" });
    }
    const config = trial.configOf({ spaces: [] });
    const target = await trial.sync(new MemoryTarget(), config);
    expect(target.documents.size).toBe(201);
    expect(progressOf(target)).toEqual([{ total: 201, listsAll: false }]);
    await trial.sync(target, config);
    expect(progressOf(target)).toEqual([{ total: null, listsAll: false }]);
    const pages = await trial.sync(new MemoryTarget(), trial.configOf({ attachments: false, blogPosts: false }));
    expect(pages.documents.size).toBe(1);
    fake.site.answerOnce(paths.count, { status: 500 });
    const uncounted = await trial.sync(new MemoryTarget(), config);
    expect(uncounted.failures).toEqual([]);
    expect(uncounted.documents.size).toBe(201);
    expect(progressOf(uncounted)).toEqual([{ total: null, listsAll: false }]);
  });

  it("signs in again once when a token is refused", async () => {
    fake.add(space, { title: "Plan", body: "<p>x</p>" });
    fake.site.answerOnce(paths.sweep, { status: 401 });
    const target = await trial.sync();
    expect(target.documents.size).toBe(1);
    expect(target.failures).toEqual([]);
  });

  it("deletes nothing of a space that cannot be listed, and reads the other one", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const other = fake.addSpace("OPS", space.readers);
    const runbook = fake.add(other, { title: "Runbook", body: "<p>y</p>" });
    const config = trial.configOf({ spaces: [] });
    const target = await trial.sync(new MemoryTarget(), config);
    const listing = deployment === "cloud" ? `${paths.spaces}/${space.id}/pages` : paths.sweep;
    fake.site.answerOnce(listing, { status: 500 });
    fake.edit(runbook, { body: "<p>z</p>" });
    await trial.sync(target, config);
    expect(target.failures.map(({ ref }) => ref)).toEqual(["KB/"]);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("x");
    expect(target.documents.get(`OPS/${runbook.id}`)?.text).toContain("z");
    fake.removeSpace(space);
    await trial.sync(target, trial.configOf({ spaces: ["KB", "OPS"] }));
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["KB/", "SOURCE_NOT_FOUND"]]);
    expect(target.documents.size).toBe(2);
  });

  it("shows a space's pages to nobody while a gateway gives up on whether strangers see it, and reads the other space", async () => {
    const other = fake.addSpace("OPS", space.readers);
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const runbook = fake.add(other, { title: "Runbook", body: "<p>y</p>" });
    const config = trial.configOf({ spaces: ["KB", "OPS"] });
    const target = await trial.sync(new MemoryTarget(), config);
    expect(await trial.readersOf(target, `KB/${page.id}`, config)).toEqual(people);
    const asked = deployment === "cloud" ? `/wiki/api/v2/spaces/${space.id}` : "/confluence/rest/api/space/KB";
    const clock = createTestClock();
    fake.site.trouble.begin({ kind: "given up", on: `GET ${asked}` }, clock);
    await trial.sync(target, config, undefined, clock);
    expect(fake.site.trouble.refused).toBeGreaterThan(0);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([[`KB/${page.id}`, "SOURCE_FORBIDDEN"]]);
    fake.site.trouble.begin(null);
    expect(await trial.readersOf(target, `KB/${page.id}`, config)).toEqual([]);
    expect(await trial.readersOf(target, `OPS/${runbook.id}`, config)).toEqual(people);
    await trial.sync(target, config);
    expect(await trial.readersOf(target, `KB/${page.id}`, config)).toEqual(people);
    expect(target.opened).toEqual([]);
  });

  it("names nobody by an address that the person does not show, and no account that was closed", async () => {
    fake.site.addAccount("bob", { email: null });
    fake.site.addAccount("eve", { active: false });
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const target = await trial.sync();
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(["ann"]);
  });

  it("says in check() what is missing: addresses, a space, the right credentials, none of them repeated", async () => {
    fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const good = await trial.check();
    expect(good.summary).toBe("Space KB can be read and holds 1 page: Plan.");
    expect(good.checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["groups", "ok"],
      ["addresses", "ok"],
    ]);
    fake.site.addAccount("bob", { email: null });
    expect((await trial.check()).checks.at(-1)).toMatchObject({ capability: "addresses", status: "warning" });
    expect((await trial.check({ spaces: ["NONE"] })).error?.code).toBe("SOURCE_NOT_FOUND");
    await trial.expectRefusals();
  });
});

describe("confluence cloud", () => {
  let fake: FakeConfluence;
  let space: FakeSpace;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, space, trial } = await startSite("cloud"));
  });
  afterEach(() => fake.close());

  it("deletes and changes nothing because the search has lost sight of it", async () => {
    const readRestriction = restrictionOf(fake, [{ user: "ann" }]);
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>", readRestriction });
    fake.add(space, { type: "attachment", title: "a.txt", mediaType: "text/plain", body: "x", parentId: page.id });
    const target = await trial.sync();
    expect(target.documents.size).toBe(2);
    fake.unindexed.add(page.id);
    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
  });

  it("says in check() when no group gives access, and when the address is no site", async () => {
    for (const _ of ["user", "admin"]) fake.site.answerOnce("/wiki/rest/api/group", { body: { results: [] } });
    expect((await trial.check()).checks[2]).toMatchObject({ capability: "permissions", status: "ok" });
    for (const _ of ["user", "admin"]) fake.site.answerOnce("/wiki/rest/api/group", { body: { results: [] } });
    expect((await trial.check()).checks[3]).toMatchObject({ capability: "groups", status: "missing" });
    fake.site.answerOnce("/wiki/rest/api/user/current", { status: 404 });
    expect((await trial.check()).error).toMatchObject({
      code: "SOURCE_NOT_FOUND",
      action: expect.stringContaining("choose data-center"),
    });
  });
});

describe("confluence data-center", () => {
  let fake: FakeConfluence;
  let space: FakeSpace;
  let trial: Awaited<ReturnType<typeof startSite>>["trial"];
  beforeEach(async () => {
    ({ fake, space, trial } = await startSite("data-center"));
  });
  afterEach(() => fake.close());
  const addPage = () => fake.add(space, { title: "Plan", body: "<p>x</p>" });

  it("signs in with a user name and a password too", async () => {
    addPage();
    const config = trial.configOf({ auth: "basic", user: fake.site.bot.username });
    const target = await trial.sync(new MemoryTarget(), config, { password: fake.site.password });
    expect(target.documents.size).toBe(1);
    const wrong = await trial.check(config, { password: "very-secret-value" });
    expect(wrong.error?.code).toBe("SOURCE_CREDENTIALS");
    expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
    expect((await trial.check(config)).error?.code).toBe("INVALID_INPUT");
  });

  it("says in check() that the address answers as Data Center where the cloud was meant", async () => {
    const cloud = await trial.check({ deployment: "cloud", auth: "api-token", email: "bot@acme.example" });
    expect(cloud.error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("Data Center 9.4.0") });
    expect(cloud.error?.action).toContain("data-center");
    const elsewhere = await trial.check({ url: fake.site.url.replace("/confluence", "/other") });
    expect(elsewhere.error).toMatchObject({
      code: "SOURCE_NOT_FOUND",
      action: expect.stringContaining("context path"),
    });
  });

  it.each([
    ["nothing", "9.1"],
    ["refuses", "administrator"],
  ] as const)("shows pages to nobody where of a space's permissions the site tells: %s", async (told, advice) => {
    const page = addPage();
    const target = await trial.sync();
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(people);
    fake.tells.spacePermissions = told;
    await trial.sync(target);
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual([]);
    expect(target.failures[0]?.error.action).toContain(advice);
    expect((await trial.check()).checks[2]).toMatchObject({
      capability: "permissions",
      status: "missing",
      action: expect.stringContaining(advice),
    });
    fake.tells.spacePermissions = "everything";
    await trial.sync(target);
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual(people);
    expect(target.opened).toEqual([]);
  });

  it("knows nobody where the site does not tell who may use it", async () => {
    const page = addPage();
    const target = await trial.sync();
    fake.tells.activeUsers = false;
    expect(await trial.readersOf(target, `KB/${page.id}`)).toEqual([]);
    expect((await trial.check()).checks[3]).toMatchObject({
      capability: "groups",
      status: "missing",
      action: expect.stringContaining("9.4"),
    });
  });

  it("takes a masked address for none, and no group's name for a group that the connector makes", async () => {
    const { site } = fake;
    const both = restrictionOf(fake, [{ group: "finance" }]);
    const page = addPage();
    site.setGroup("finance", [site.idOf("ann"), site.bot.accountId]);
    space.readers = { users: [site.bot.accountId], groups: [site.groupIdOf("board")] };
    site.setGroup("board", [site.idOf("ann"), site.idOf("bob"), site.bot.accountId]);
    page.readRestriction = both;
    const target = await trial.sync();
    const ref = `KB/${page.id}`;
    const { id } = target.documents.get(ref)!.item.acl!.allow[0]!;
    expect(id).toMatch(/^intersection:/);
    site.setGroup(id, [site.idOf("eve")]);
    expect(await trial.readersOf(target, ref)).toEqual(["ann"]);
    site.addAccount("ann", { email: "ann at acme dot example" });
    expect(await trial.readersOf(target, ref)).toEqual([]);
  });

  it("deletes no attachment and no space that a listing passed over while others went", async () => {
    const page = addPage();
    const attached = Array.from({ length: 5 }, (_, index) =>
      fake.add(space, {
        type: "attachment",
        title: `${index}.txt`,
        mediaType: "text/plain",
        body: "x",
        parentId: page.id,
      }),
    );
    const others = ["OPS", "LAW"].map((key) => fake.addSpace(key, space.readers));
    for (const other of others) fake.add(other, { title: "Runbook", body: "<p>y</p>" });
    const config = trial.configOf({ spaces: [] });
    const target = await trial.sync(new MemoryTarget(), config);
    expect(target.documents.size).toBe(8);
    const second = (path: string) => (asked: { path: string; query: URLSearchParams }) =>
      asked.path === path && asked.query.get("start") === "2";
    fake.site.beforeOnce(second(`/rest/api/content/${page.id}/child/attachment`), () => fake.trash(attached[0]!));
    fake.site.beforeOnce(second("/rest/api/space"), () => void fake.removeSpace(others[0]!));
    await trial.sync(target, config);
    const refsIn = (key: string) => [...target.documents.keys()].filter((ref) => ref.startsWith(`${key}/`));
    // What went had been listed before it did.
    expect(refsIn("KB")).toHaveLength(6);
    expect(refsIn("LAW")).toHaveLength(1);
    expect(target.failures.map(({ ref }) => ref)).toEqual(["OPS/"]);
    await trial.sync(target, config);
    expect(refsIn("KB").sort()).toEqual([page, ...attached.slice(1)].map(({ id }) => `KB/${id}`).sort());
    expect(refsIn("OPS")).toEqual([]);
    expect(refsIn("LAW")).toHaveLength(1);
  });
});
