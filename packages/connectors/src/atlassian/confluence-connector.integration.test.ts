import { mayRead } from "@anneal/core/access/acl";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "../../conformance/describe-permissions.ts";
import {
  startFakeConfluence,
  type FakeConfluence,
  type FakeContent,
  type FakeSpace,
  type Readers,
} from "../../conformance/fake-atlassian/fake-confluence.ts";
import {
  addPeople,
  emailOf,
  groupIdOf,
  idOf,
  people,
  readersAmong,
} from "../../conformance/fake-atlassian/site-people.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { confluenceConfigSchema, type AtlassianSecrets, type ConfluenceConfig } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

const context = testContext();
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A site whose users may all view its one space, "KB". */
async function startSite(): Promise<{ fake: FakeConfluence; space: FakeSpace }> {
  const fake = await startFakeConfluence();
  addPeople(fake.site, "confluence-users");
  fake.entrances.add(groupIdOf("confluence-users"));
  const space = fake.addSpace("KB", { users: [], groups: [groupIdOf("confluence-users")] });
  return { fake, space };
}

function configOf(fake: FakeConfluence, config: Partial<ConfluenceConfig> = {}): ConfluenceConfig {
  return confluenceConfigSchema.parse({
    url: fake.site.url,
    email: fake.site.bot.email,
    spaces: ["KB"],
    allowPrivateHosts: true,
    ...config,
  });
}

/** Nobody is kept out who does the restricting: the account that reads is always named. */
function restrictionOf(fake: FakeConfluence, allow: readonly Who[]): Readers {
  return {
    users: [
      fake.site.bot.accountId,
      ...allow.flatMap((who) => (typeof who === "object" && "user" in who ? idOf(who.user) : [])),
    ],
    groups: allow.flatMap((who) => (typeof who === "object" && "group" in who ? groupIdOf(who.group) : [])),
  };
}

async function createHarness(): Promise<PermissionHarness<ConfluenceConfig, AtlassianSecrets>> {
  const { fake, space } = await startSite();
  const pages = new Map<string, FakeContent>();
  const folders = new Map<string, FakeContent>();
  const folderOf = (path: string): FakeContent | null => {
    const title = path.split("/").slice(0, -1).join("/");
    if (title === "") return null;
    const folder =
      folders.get(title) ?? fake.add(space, { type: "folder", title, parentId: folderOf(title)?.id ?? null });
    folders.set(title, folder);
    return folder;
  };
  const pageOf = (name: string) => pages.get(name)!;
  const isThere = (page: FakeContent | undefined): page is FakeContent =>
    page !== undefined && fake.contents.has(page.id);
  return {
    connector: confluenceConnector,
    config: configOf(fake),
    secrets: { token: fake.site.token },
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
    async move(from, to) {
      const page = pageOf(from);
      page.parentId = folderOf(to)?.id ?? null;
      fake.edit(page, { title: to });
      pages.set(to, page);
    },
    async breakItem(name) {
      pageOf(name).brokenBody = true;
      return async () => void (pageOf(name).brokenBody = false);
    },
    async vanish() {
      const restore = fake.removeSpace(space);
      return async () => restore();
    },
    close: () => fake.close(),
    emailOf,
    async setGroup(group, members) {
      fake.site.setGroup(group, members.map(idOf));
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
    async breakPermissions(name) {
      pageOf(name).brokenRestriction = true;
      return async () => void (pageOf(name).brokenRestriction = false);
    },
    supports: { groups: true, nestedGroups: false, deny: false, domain: false, anyone: true },
  };
}

describeConnector("confluence", createHarness);
describePermissions("confluence", createHarness);

describe("confluence", () => {
  let fake: FakeConfluence;
  let space: FakeSpace;
  let secrets: AtlassianSecrets;
  beforeEach(async () => {
    ({ fake, space } = await startSite());
    secrets = { token: fake.site.token };
  });
  afterEach(() => fake.close());

  const sync = async (target = new MemoryTarget(), config = configOf(fake)) => {
    await target.apply(
      confluenceConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }),
    );
    return target;
  };
  const directoryOf = (config = configOf(fake)) =>
    MemoryDirectory.read(confluenceConnector.readDirectory!({ config, secrets, context }));
  const readersOf = async (target: MemoryTarget, ref: string, config = configOf(fake)) =>
    readersAmong(target.documents.get(ref)?.item.acl, await directoryOf(config));
  const namedOnly = (...who: string[]): Readers =>
    restrictionOf(
      fake,
      who.map((user) => ({ user })),
    );

  it("shows each of 60 pages, however restricted above and below, to just those to whom Confluence shows it", async () => {
    // A fixed sequence: the same trees in every run.
    let state = 7;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    fake.site.setGroup("finance", [idOf("ann"), fake.site.bot.accountId]);
    fake.site.setGroup("board", [idOf("ann"), idOf("bob"), fake.site.bot.accountId]);
    fake.site.addAccount("guest");
    fake.site.setGroup("outside", [idOf("eve"), idOf("guest")]);
    space.readers = { users: [idOf("bob")], groups: [groupIdOf("board"), groupIdOf("outside")] };
    const everybody = [...people, "guest"];
    const groups = ["finance", "board", "outside", "deleted"].map(groupIdOf);
    const pages: FakeContent[] = [];
    for (let index = 0; index < 60; index += 1) {
      const parent = pages[random(pages.length + 3)];
      const page = fake.add(space, {
        title: `Page ${index}`,
        body: `<p>${index}</p>`,
        type: random(5) === 0 ? "folder" : "page",
        parentId: parent?.id ?? null,
      });
      pages.push(page);
      if (random(2) === 0) continue;
      page.readRestriction = {
        users: [fake.site.bot.accountId, ...everybody.map(idOf).filter(() => random(3) === 0)],
        groups: groups.filter(() => random(3) === 0),
      };
    }
    const target = await sync();
    const directory = await directoryOf();
    let shown = 0;
    for (const page of pages.filter(({ type }) => type === "page")) {
      const acl = target.documents.get(`KB/${page.id}`)?.item.acl;
      expect(acl, page.title).toBeDefined();
      for (const person of everybody) {
        const read = mayRead(acl, directory.heldBy(emailOf(person)));
        expect(read, `${person} reads ${page.title}`).toBe(fake.mayView(idOf(person), page));
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
      readRestriction: { users: [fake.site.bot.accountId], groups: [groupIdOf("deleted")] },
    });
    const target = await sync();
    expect(await readersOf(target, `KB/${many.id}`)).toEqual(people);
    expect(await readersOf(target, `KB/${gone.id}`)).toEqual([]);
  });

  it("takes a page from those who lose the space, its page above or their group, without reading it again", async () => {
    const above = fake.add(space, { title: "Above", body: "<p>a</p>" });
    const page = fake.add(space, { title: "Below", body: "<p>b</p>", parentId: above.id });
    const ref = `KB/${page.id}`;
    const target = await sync();
    expect(await readersOf(target, ref)).toEqual(people);
    above.readRestriction = namedOnly("ann", "bob");
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["acl", "acl", "checkpoint"]);
    expect(await readersOf(target, ref)).toEqual(["ann", "bob"]);
    fake.site.setGroup("confluence-users", [idOf("bob"), fake.site.bot.accountId]);
    expect(await readersOf(target, ref)).toEqual(["bob"]);
    space.readers = { users: [fake.site.bot.accountId], groups: [] };
    await sync(target);
    expect(await readersOf(target, ref)).toEqual([]);
    expect(target.opened).toEqual([]);
  });

  it("closes a page to whom it was taken from even when its new version cannot be read", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>old</p>" });
    const target = await sync();
    fake.edit(page, { body: "<p>new</p>" });
    page.readRestriction = namedOnly("ann");
    page.brokenBody = true;
    await sync(target);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("old");
    expect(await readersOf(target, `KB/${page.id}`)).toEqual(["ann"]);
    page.brokenBody = false;
    await sync(target);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("new");
  });

  it("reads blog posts and attachments, these under their page's audience and only formats that can be parsed", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>", readRestriction: namedOnly("ann") });
    const post = fake.add(space, { type: "blogpost", title: "News", body: "<p>y</p>" });
    const attach = (title: string, mediaType: string) =>
      fake.add(space, { type: "attachment", title, mediaType, body: "Figures.", parentId: page.id });
    const table = attach("figures.csv", "text/csv");
    attach("photo.bin", "application/octet-stream");
    const notes = attach("notes.md", "text/markdown");
    const target = await sync();
    const refs = [page, post, table, notes].map(({ id }) => `KB/${id}`).sort();
    expect([...target.documents.keys()].sort()).toEqual(refs);
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    expect(target.documents.get(`KB/${table.id}`)).toMatchObject({ text: "Figures.", item: { mediaType: "text/csv" } });
    expect(await readersOf(target, `KB/${table.id}`)).toEqual(["ann"]);
    await sync(target, configOf(fake, { attachments: false, blogPosts: false }));
    expect([...target.documents.keys()]).toEqual([`KB/${page.id}`]);
  });

  it("deletes and changes nothing because the search has lost sight of it", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>", readRestriction: namedOnly("ann") });
    fake.add(space, { type: "attachment", title: "a.txt", mediaType: "text/plain", body: "x", parentId: page.id });
    const target = await sync();
    expect(target.documents.size).toBe(2);
    fake.unindexed.add(page.id);
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
  });

  it("reads an attachment again whose transfer broke off", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    fake.add(space, { type: "attachment", title: "a.txt", mediaType: "text/plain", body: "x", parentId: page.id });
    fake.site.answerOnce("/media/", { bytes: Buffer.from("half of it"), cutOff: true });
    const target = await sync();
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_UNREACHABLE"]);
    await sync(target);
    expect(target.failures).toEqual([]);
    expect(target.opened).toHaveLength(1);
  });

  it("waits as it is told, and signs in again once when a token is refused", async () => {
    fake.add(space, { title: "Plan", body: "<p>x</p>" });
    fake.site.answerOnce("/wiki/api/v2/spaces", { status: 429, headers: { "retry-after": "1" } });
    fake.site.answerOnce("/wiki/rest/api/content/search", { status: 401 });
    const target = await sync();
    expect(target.documents.size).toBe(1);
    expect(target.failures).toEqual([]);
  });

  it("deletes nothing of a space that cannot be listed, and reads the other one", async () => {
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const other = fake.addSpace("OPS", space.readers);
    const runbook = fake.add(other, { title: "Runbook", body: "<p>y</p>" });
    const config = configOf(fake, { spaces: [] });
    const target = await sync(new MemoryTarget(), config);
    fake.site.answerOnce(`/wiki/api/v2/spaces/${space.id}/pages`, { status: 500 });
    fake.edit(runbook, { body: "<p>z</p>" });
    await sync(target, config);
    expect(target.failures.map(({ ref }) => ref)).toEqual(["KB/"]);
    expect(target.documents.get(`KB/${page.id}`)?.text).toContain("x");
    expect(target.documents.get(`OPS/${runbook.id}`)?.text).toContain("z");
    fake.removeSpace(space);
    await sync(target, configOf(fake, { spaces: ["KB", "OPS"] }));
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["KB/", "SOURCE_NOT_FOUND"]]);
    expect(target.documents.size).toBe(2);
  });

  it("names nobody by an address that the person does not show, and no account that was closed", async () => {
    fake.site.addAccount("bob", { email: null });
    fake.site.addAccount("eve", { active: false });
    const page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const target = await sync();
    expect(await readersOf(target, `KB/${page.id}`)).toEqual(["ann"]);
  });

  it("says in check() what is missing: addresses, a space, the right credentials, none of them repeated", async () => {
    fake.add(space, { title: "Plan", body: "<p>x</p>" });
    const check = (config: Partial<ConfluenceConfig> = {}, token = secrets.token) =>
      confluenceConnector.check(configOf(fake, config), { token }, context);
    const good = await check();
    expect(good.summary).toBe("Space KB can be read and holds 1 page: Plan.");
    expect(good.checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["groups", "ok"],
      ["addresses", "ok"],
    ]);
    fake.site.addAccount("bob", { email: null });
    expect((await check()).checks.at(-1)).toMatchObject({ capability: "addresses", status: "warning" });
    for (const _ of ["user", "admin"]) fake.site.answerOnce("/wiki/rest/api/group", { body: { results: [] } });
    expect((await check()).checks[3]).toMatchObject({ capability: "groups", status: "missing" });
    expect((await check({ spaces: ["NONE"] })).error?.code).toBe("SOURCE_NOT_FOUND");
    expect((await check({ url: "http://127.0.0.1:2" })).error?.code).toBe("SOURCE_UNREACHABLE");
    expect((await check({ allowPrivateHosts: false })).error?.code).toBe("SOURCE_FORBIDDEN");
    expect((await check({ email: "" })).error?.code).toBe("INVALID_INPUT");
    fake.site.answerOnce("/wiki/rest/api/user/current", { status: 404 });
    expect((await check()).error?.action).toContain("Data Center is not read");
    const wrong = await check({}, "very-secret-value");
    expect(wrong.error?.code).toBe("SOURCE_CREDENTIALS");
    expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
  });
});
