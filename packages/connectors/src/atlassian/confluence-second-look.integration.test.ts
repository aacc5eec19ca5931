import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  startFakeConfluence,
  type FakeConfluence,
  type FakeContent,
} from "../../conformance/fake-atlassian/fake-confluence.ts";
import { addPeople, people } from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { confluenceConfigSchema } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

const createSiteTrial = (fake: FakeConfluence) =>
  createTrial(confluenceConnector, fake.site, (config = {}) =>
    confluenceConfigSchema.parse({ ...signInTo(fake.site), spaces: ["KB"], ...config }),
  );

describe("what a listing of confluence data-center passed over", () => {
  let fake: FakeConfluence;
  let trial: ReturnType<typeof createSiteTrial>;
  let page: FakeContent;
  let attached: FakeContent[];
  beforeEach(async () => {
    fake = await startFakeConfluence("data-center");
    const users = fake.site.groupIdOf("confluence-users");
    addPeople(fake.site, "confluence-users");
    fake.entrances.add(users);
    const space = fake.addSpace("KB", { users: [], groups: [users] });
    page = fake.add(space, { title: "Plan", body: "<p>x</p>" });
    attached = ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"].map((title) =>
      fake.add(space, { type: "attachment", title, mediaType: "text/plain", body: "x", parentId: page.id }),
    );
    trial = createSiteTrial(fake);
  });
  afterEach(() => fake.close());

  it("is closed to whom its page was closed", async () => {
    const target = await trial.sync();
    const [first, , passedOver] = attached.map(({ id }) => `KB/${id}`);
    expect(await trial.readersOf(target, passedOver!)).toEqual(people);

    page.readRestriction = { users: [fake.site.bot.accountId, fake.site.idOf("ann")], groups: [] };
    const isSecondPage = (asked: { path: string; query: URLSearchParams }) =>
      asked.path === `/rest/api/content/${page.id}/child/attachment` && asked.query.get("start") === "2";
    fake.site.beforeOnce(isSecondPage, () => fake.trash(attached[0]!));
    await trial.sync(target);
    const acls = target.changes.flatMap((change) => (change.type === "acl" ? [change.ref] : []));
    // Last, after all that the listing named.
    expect(acls.at(-1)).toBe(passedOver);
    expect(acls).toHaveLength(1 + attached.length);
    for (const { id } of [page, ...attached]) expect(await trial.readersOf(target, `KB/${id}`)).toEqual(["ann"]);
    expect(target.opened).toEqual([]);

    await trial.sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["delete", "checkpoint"]);
    expect(target.documents.has(first!)).toBe(false);
  });
});
