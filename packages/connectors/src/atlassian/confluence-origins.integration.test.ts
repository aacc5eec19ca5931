import { afterEach, beforeEach, expect, it } from "vitest";
import { startFakeConfluence, type FakeConfluence } from "../../conformance/fake-atlassian/fake-confluence.ts";
import type { MemoryTarget } from "../../conformance/memory-target.ts";
import { addPeople } from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { confluenceConfigSchema } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

let fake: FakeConfluence;
beforeEach(async () => {
  fake = await startFakeConfluence("cloud");
});
afterEach(() => fake.close());

it("a page says whether its readers have it from the space, from a page above it, or from itself", async () => {
  const { site } = fake;
  const users = site.groupIdOf("confluence-users");
  addPeople(site, "confluence-users");
  fake.entrances.add(users);
  const space = fake.addSpace("KB", { users: [], groups: [users] });
  const named = { users: [site.bot.accountId, site.idOf("ann")], groups: [] };
  const open = fake.add(space, { title: "Open", body: "<p>x</p>" });
  const plans = fake.add(space, { title: "Plans", body: "<p>x</p>" });
  plans.readRestriction = named;
  const below = fake.add(space, { title: "Budget", body: "<p>x</p>", parentId: plans.id });
  const trial = createTrial(confluenceConnector, site, () =>
    confluenceConfigSchema.parse({ ...signInTo(site), spaces: ["KB"] }),
  );
  const originsOf = (target: MemoryTarget, { id }: { id: string }) => [
    ...new Set(target.documents.get(`KB/${id}`)!.item.acl!.allow.map(({ inheritedFrom }) => inheritedFrom)),
  ];
  const target = await trial.sync();
  expect(originsOf(target, open)).toEqual(["Space KB"]);
  expect([originsOf(target, plans), originsOf(target, below)].flat()).toEqual(
    // Ann is in the space's group, which an ACL has no form for: what both have in common is a group of its own.
    [undefined, "Space KB and Plans"],
  );

  // The same readers, from elsewhere: told, and nothing is read.
  below.readRestriction = named;
  plans.readRestriction = null;
  await trial.sync(target);
  expect(originsOf(target, below)).toEqual([undefined]);
  expect(originsOf(target, plans)).toEqual(["Space KB"]);
  expect(target.opened).toEqual([]);
  expect(target.changes.map(({ type }) => type).toSorted()).toEqual(["acl", "acl", "checkpoint"]);
});
