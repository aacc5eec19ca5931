import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  containers,
  startFakeConfluence,
  type FakeConfluence,
  type FakeContent,
  type FakeSpace,
} from "../../conformance/fake-atlassian/fake-confluence.ts";
import { addPeople, people } from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { confluenceConfigSchema, type ConfluenceConfig } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

const createSiteTrial = (fake: FakeConfluence) =>
  createTrial(confluenceConnector, fake.site, (config: Partial<ConfluenceConfig> = {}) =>
    confluenceConfigSchema.parse({ ...signInTo(fake.site), spaces: ["KB"], ...config }),
  );

let fake: FakeConfluence;
let space: FakeSpace;
let trial: ReturnType<typeof createSiteTrial>;
beforeEach(async () => {
  fake = await startFakeConfluence("cloud");
  const users = fake.site.groupIdOf("confluence-users");
  addPeople(fake.site, "confluence-users");
  fake.entrances.add(users);
  space = fake.addSpace("KB", { users: [], groups: [users] });
  trial = createSiteTrial(fake);
});
afterEach(() => fake.close());

const addPage = (title: string, above: FakeContent | null) =>
  fake.add(space, { title, body: "<p>x</p>", parentId: above?.id ?? null });
const onlyAnn = () => ({ users: [fake.site.bot.accountId, fake.site.idOf("ann")], groups: [] });

it.each(containers)(
  "shows to nobody what lies in a %s, until it is said that none is restricted, and from when that is taken back",
  async (type) => {
    const open = addPage("Open", null);
    const container = fake.add(space, { type, title: "Board", readRestriction: onlyAnn() });
    const inside = addPage("Inside", container);
    const below = addPage("Below", inside);
    const attached = fake.add(space, {
      type: "attachment",
      title: "a.txt",
      mediaType: "text/plain",
      body: "x",
      parentId: below.id,
    });
    const hidden = [inside, below, attached];
    const config = trial.configOf({ hiddenRestrictions: "none" });
    const target = await trial.sync();
    for (const round of ["before the word", "after it was taken back"]) {
      for (const { id } of hidden) expect(await trial.readersOf(target, `KB/${id}`), round).toEqual([]);
      expect(await trial.readersOf(target, `KB/${open.id}`), round).toEqual(people);
      expect(target.failures, round).toMatchObject([
        { ref: "KB/", error: { code: "INVALID_INPUT", message: expect.stringContaining("3 documents"), details: {} } },
      ]);

      await trial.sync(target);
      expect(target.changes.map(({ type }) => type)).toEqual(["failure", "checkpoint"]);

      await trial.sync(target, config);
      expect(target.failures).toEqual([]);
      // What such a word does where it is not true.
      for (const { id } of hidden) expect(await trial.readersOf(target, `KB/${id}`, config)).toEqual(people);
      expect(target.opened).toEqual([]);

      await trial.sync(target);
      expect(target.opened).toEqual([]);
    }
  },
);

it("shows what lies in a folder to whom its restriction names, where Confluence tells one", async () => {
  fake.tells.containers = true;
  const inside = addPage("Inside", fake.add(space, { type: "folder", title: "Plans", readRestriction: onlyAnn() }));
  const target = await trial.sync();
  expect(await trial.readersOf(target, `KB/${inside.id}`)).toEqual(["ann"]);
  expect(target.failures).toEqual([]);
});

it("says in check() that nobody sees pages in folders, how many that are, and what to do", async () => {
  const permissionsOf = async (config: Partial<ConfluenceConfig>) =>
    (await trial.check(config)).checks.find(({ capability }) => capability === "permissions");
  addPage("Open", null);
  expect(await permissionsOf({})).toMatchObject({ status: "ok", message: expect.stringContaining("folder") });
  addPage("Inside", fake.add(space, { type: "folder", title: "Plans" }));
  expect(await permissionsOf({})).toMatchObject({
    status: "warning",
    message: expect.stringContaining("1 of the 2 pages"),
    action: expect.stringContaining("“Restrictions of folders”"),
  });
  expect(await permissionsOf({ hiddenRestrictions: "none" })).toMatchObject({
    status: "ok",
    message: expect.stringContaining("as the settings say"),
  });
});

describe("the count in check()", () => {
  const messageOf = async () =>
    (await trial.check({})).checks.find(({ capability }) => capability === "permissions")?.message;

  it("is of what a sync would hide: of pages below a page in a folder as well", async () => {
    addPage("Open", null);
    const inside = addPage("Inside", fake.add(space, { type: "folder", title: "Plans" }));
    addPage("Below that", addPage("Below", inside));
    const target = await trial.sync();
    expect(target.failures).toMatchObject([{ error: { message: expect.stringContaining("3 documents") } }]);
    expect(await messageOf()).toContain("3 of the 4 pages");
  });

  it("looks above the pages that are looked at, where those in a folder are not among them", async () => {
    const [first] = Array.from({ length: 100 }, (_, index) => addPage(`Page ${index}`, null));
    const inside = addPage("Inside", fake.add(space, { type: "folder", title: "Plans" }));
    first!.parentId = inside.id;
    expect(await messageOf()).toContain("1 of the 100 pages");
  });

  it("leaves out what lies in a folder that Confluence tells a restriction of", async () => {
    fake.tells.containers = true;
    addPage("Inside", fake.add(space, { type: "folder", title: "Board", readRestriction: onlyAnn() }));
    addPage("Inside as well", fake.add(space, { type: "folder", title: "Plans" }));
    expect(await messageOf()).toContain("1 of the 2 pages");
  });
});
