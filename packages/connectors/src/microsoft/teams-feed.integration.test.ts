import { randomUUID } from "node:crypto";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTeamsHarness, type TeamsHarness } from "../../conformance/fake-microsoft/create-teams-harness.ts";
import type { FakeChannel, FakeMessage } from "../../conformance/fake-microsoft/fake-tenant.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { ConnectContext } from "../connector.ts";
import { wholeCursor } from "../parts-in-journal.ts";
import type { TeamsConfig } from "./config.ts";
import { teamsConnector } from "./teams-connector.ts";
import { teamsPlaces } from "./teams-cursor.ts";

const hourMs = 3_600_000;

describe("the messages of channels, between two complete listings", () => {
  let harness: TeamsHarness;
  let target: MemoryTarget;
  let general: FakeChannel;
  beforeEach(async () => {
    harness = await createTeamsHarness();
    harness.config.files = false;
    target = new MemoryTarget();
    general = addChannel("General");
  });
  afterEach(() => harness.close());

  const tenant = () => harness.fake.tenant;
  const addChannel = (name: string) => tenant().addChannel(harness.teamId, name, "standard");
  const post = (text: string, channel = general) => tenant().post(channel.messages, text);
  const reply = (thread: FakeMessage, text: string) => tenant().post(thread.replies, text);
  const reword = (message: FakeMessage, text: string) =>
    tenant().revise(message, { body: { ...message.body, content: text } });
  const read = (into: MemoryTarget, changes: Partial<TeamsConfig> = {}, given: Partial<ConnectContext> = {}) =>
    teamsConnector.read({
      config: { ...harness.config, ...changes },
      secrets: harness.secrets,
      cursor: into.cursor,
      journal: into.journal(),
      known: into.known(),
      context: testContext(given),
    });
  const sync = async (changes: Partial<TeamsConfig> = {}, given: Partial<ConnectContext> = {}, into = target) => {
    harness.fake.requests.length = 0;
    await into.apply(read(into, changes, given));
  };
  /** The cursor with its parts, which is also what an earlier release stored. */
  const position = async () => (await wholeCursor({ cursor: target.cursor, journal: target.journal() }, teamsPlaces))!;
  /** What was asked of the messages of all channels, without what all of their addresses have. */
  const asked = () =>
    harness.fake.requests.flatMap((request) => /\/channels\/[^/]+\/(messages.*)$/.exec(request)?.[1] ?? []);
  const titles = () => [...target.documents.values()].map(({ item }) => item.title).sort();
  const textOf = (thread: FakeMessage) =>
    [...target.documents].find(([ref]) => ref.endsWith(`/${thread.id}`))?.[1].text ?? "";
  const passHours = (hours: number) => void (tenant().aheadMs += hours * hourMs);
  const changes = () => target.changes.filter(({ type }) => type !== "checkpoint");

  it("cost one request for each channel in which nothing happened", async () => {
    for (const name of ["One", "Two", "Three"])
      for (let count = 0; count < 5; count += 1) post(`${name} ${count}`, addChannel(name));
    await sync();
    expect(target.documents.size).toBe(15);
    await sync();
    expect(changes()).toEqual([]);
    expect(asked()).toEqual(Array.from({ length: tenant().teams.get(harness.teamId)!.length }, () => "messages/delta"));
  });

  it("are told of as all that there is where every channel is listed, and not where one is followed", async () => {
    for (let count = 0; count < 201; count += 1) post(`Post ${count}`);
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const { total, listsAll } of progressOf(target)) {
      expect(listsAll).toBe(true);
      expect(total).toBeGreaterThanOrEqual(200);
      expect(total).toBeLessThan(250);
    }
    for (const message of general.messages) reword(message, "Reworded.");
    addChannel("New");
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const { listsAll } of progressOf(target)) expect(listsAll).toBe(false);
    passHours(25);
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const { listsAll } of progressOf(target)) expect(listsAll).toBe(true);
  });

  it("are read thread by thread where one is new, reworded, or deleted", async () => {
    const [kept, changed, gone] = [post("Kept."), post("To be reworded."), post("To be deleted.")];
    await sync();
    const added = post("New.");
    reword(changed, "Reworded.");
    tenant().deleteMessage(gone);
    await sync();
    expect(titles()).toEqual(["Kept.", "New.", "Reworded."]);
    expect(target.opened).toHaveLength(2);
    expect(asked().filter((request) => request === "messages")).toEqual([]);
    expect(asked()).not.toContain(`messages/${kept.id}`);
    expect(asked()).toContain(`messages/${added.id}/replies`);
    await sync();
    expect(changes()).toEqual([]);
    expect(asked()).toEqual(["messages/delta"]);
  });

  it("come with every reply of a thread that is read alone, in the words of a listing", async () => {
    const thread = post("When is the harbour dredged?");
    for (const text of ["In May.", "In the second half.", "Not at night.", "Who asks?"]) reply(thread, text);
    await sync();
    const listed = textOf(thread);
    tenant().revise(thread);
    await sync();
    expect(asked()).toContain(`messages/${thread.id}`);
    expect(changes()).toEqual([]);
    const alone = new MemoryTarget();
    alone.cursor = target.cursor;
    tenant().revise(thread);
    await sync({}, {}, alone);
    expect([...alone.documents.values()].map(({ text }) => text)).toEqual([listed]);
  });

  describe.each(["messages", "replies", "threads"] as const)("where the feed names %s", (feedNames) => {
    const atOnce = feedNames !== "messages";
    beforeEach(() => void (tenant().feedNames = feedNames));

    it(`show a reply ${atOnce ? "at the next sync" : "with the next complete listing"}`, async () => {
      const thread = post("When is the harbour dredged?");
      const first = reply(thread, "In May.");
      post("Something else.");
      await sync();
      reply(thread, "In the second half.");
      await sync();
      expect(textOf(thread).includes("In the second half.")).toBe(atOnce);
      const ofThread = [`messages/${thread.id}`, `messages/${thread.id}/replies`];
      expect([...new Set(asked())]).toEqual(["messages/delta", ...(atOnce ? ofThread : [])]);
      reword(first, "In June.");
      await sync();
      expect(textOf(thread).includes("In June.")).toBe(atOnce);
      tenant().deleteMessage(first);
      await sync();
      expect(textOf(thread).includes("In May.")).toBe(!atOnce);
      await sync();
      expect(asked()).toEqual(["messages/delta"]);

      passHours(25);
      await sync();
      expect(asked()).toContain("messages");
      expect(textOf(thread)).toContain("In the second half.");
      expect(textOf(thread)).not.toMatch(/In (May|June)/);
      expect(target.opened).toHaveLength(atOnce ? 0 : 1);
      await sync();
      expect(asked()).toEqual(["messages/delta"]);
    });

    it("lose nothing that happens while a channel is listed for the first time, at whichever request", async () => {
      const threads = ["One.", "Two.", "Three.", "Four.", "Five."].map((text) => post(text));
      harness.fake.trouble.begin(null);
      await sync({}, {}, new MemoryTarget());
      const count = harness.fake.trouble.asked;
      for (let at = 0; at < count; at += 1) {
        target = new MemoryTarget();
        harness.fake.trouble.begin({
          kind: "event",
          at,
          act() {
            post(`Said at request ${at}.`);
            reword(threads[0]!, `One, at request ${at}.`);
            reword(threads[4]!, `Five, at request ${at}.`);
          },
        });
        await sync();
        harness.fake.trouble.begin(null);
        await sync();
        expect(asked().filter((request) => request === "messages")).toEqual([]);
        const expected = new MemoryTarget();
        await sync({}, {}, expected);
        expect(target.contents(), `at ${at}`).toEqual(expected.contents());
      }
    });

    it("end the same when a later sync is killed at any change, or its position refused at any request", async () => {
      const other = addChannel("Other");
      const threads = ["One.", "Two.", "Three.", "Four."].map((text) => post(text));
      const elsewhere = post("Elsewhere.", other);
      await sync();
      const known = target;
      reword(threads[0]!, "One, reworded.");
      tenant().deleteMessage(threads[1]!);
      tenant().purge(general, threads[2]!);
      post("Five.");
      post("Six.");
      reword(elsewhere, "Elsewhere, reworded.");
      const { trouble } = harness.fake;
      const whole = known.copy();
      trouble.begin(null);
      await sync({}, {}, whole);
      const count = trouble.asked;
      const before = tenant().oldestToken;
      const expected = new MemoryTarget();
      await sync({}, {}, expected);
      expect(whole.contents()).toEqual(expected.contents());
      const last = whole.changes.length;
      for (let at = 0; at < last; at += 1) {
        for (const write of ["lost", "done"] as const) {
          const killed = known.copy();
          expect(await killed.apply(read(killed), { at, write })).toBe("killed");
          await sync({}, {}, killed);
          expect(killed.held(), `killed at ${at}, write ${write}`).toEqual(expected.held());
        }
      }
      for (const staleStatus of [410, 400] as const) {
        tenant().staleStatus = staleStatus;
        for (let at = 0; at < count; at += 1) {
          tenant().oldestToken = before;
          const stale = known.copy();
          trouble.begin({ kind: "event", at, act: () => tenant().expireFeeds() });
          await sync({}, {}, stale);
          expect(stale.failures, `stale at ${at}`).toEqual([]);
          trouble.begin(null);
          await sync({}, {}, stale);
          expect(stale.contents(), `stale at ${at}`).toEqual(expected.contents());
        }
      }
    });
  });

  it("let go at once of a thread that is gone for good, and of a reply that is with the next listing at the latest", async () => {
    tenant().feedNames = "replies";
    const [gone, thread] = [post("Gone for good."), post("When is the harbour dredged?")];
    const answer = reply(thread, "In May.");
    await sync();
    tenant().purge(general, gone);
    await sync();
    expect(titles()).toEqual([thread.body.content]);
    expect(asked()).not.toContain("messages");
    // The feed names the reply by its id alone, and not the thread: the channel is listed at once.
    tenant().purge(general, answer);
    await sync();
    expect(textOf(thread)).not.toContain("In May.");
    await sync();
    expect(asked()).toEqual(["messages/delta"]);
  });

  it.each([410, 400] as const)("are listed again where a position is refused with %i", async (staleStatus) => {
    const [gone, thread] = [post("Gone for good."), post("When is the harbour dredged?")];
    await sync();
    tenant().purge(general, gone);
    reply(thread, "In May.");
    tenant().staleStatus = staleStatus;
    tenant().expireFeeds();
    await sync();
    expect(titles()).toEqual([thread.body.content]);
    expect(textOf(thread)).toContain("In May.");
    post("And at night?");
    await sync();
    expect(asked()).not.toContain("messages");
    expect(target.documents.size).toBe(2);
  });

  it("are listed again after the hours that were chosen, and at each sync with 0", async () => {
    post("Hello.");
    const weekly = { completeEveryHours: 168 };
    await sync(weekly);
    passHours(167);
    await sync(weekly);
    expect(asked()).toEqual(["messages/delta"]);
    passHours(2);
    await sync(weekly);
    expect(asked()).toEqual(["messages/delta", "messages"]);
    // Graph's clock was set back to before that listing.
    passHours(-24);
    await sync(weekly);
    expect(asked()).toEqual(["messages/delta", "messages"]);
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await sync({ completeEveryHours: 0 });
      expect(asked()).toEqual(["messages"]);
    }
    await sync();
    expect(asked()).toEqual(["messages/delta", "messages"]);
    expect(target.documents.size).toBe(1);
  });

  it("are listed rather than read thread by thread where very many changed", async () => {
    tenant().pageSize = 50;
    const threads = Array.from({ length: 51 }, (_, number) => post(`Thread ${number}.`));
    await sync();
    for (const thread of threads) reword(thread, `${thread.body.content} Reworded.`);
    await sync();
    expect(asked()).toEqual(["messages/delta", "messages/delta", "messages", "messages"]);
    expect(target.opened).toHaveLength(51);
    await sync();
    expect(asked()).toEqual(["messages/delta"]);
  });

  it.each([200, 400, 403, 404, 500] as const)(
    "are listed at each sync where their feed answers %i, and then followed",
    async (status) => {
      tenant().feedlessChannels.set(general.id, status);
      const thread = post("When is the harbour dredged?");
      const gone = post("Gone for good.");
      await sync();
      reply(thread, "In May.");
      tenant().purge(general, gone);
      await sync();
      expect([...new Set(asked())]).toEqual(["messages/delta", "messages"]);
      expect(titles()).toEqual([thread.body.content]);
      expect(textOf(thread)).toContain("In May.");
      expect(target.failures).toEqual([]);
      tenant().feedlessChannels.clear();
      await sync();
      await sync();
      expect(asked()).toEqual(["messages/delta"]);
    },
  );

  it.each([200, 400, 403, 404] as const)("are listed at once where their feed begins to answer %i", async (status) => {
    const gone = post("Gone for good.");
    post("Kept.");
    await sync();
    tenant().purge(general, gone);
    tenant().feedlessChannels.set(general.id, status);
    await sync();
    expect(titles()).toEqual(["Kept."]);
    expect(target.failures).toEqual([]);
  });

  it("are listed when that is due where their feed alone has a fault, which is said until then", async () => {
    const gone = post("Gone for good.");
    post("Kept.");
    addChannel("Other");
    await sync();
    tenant().purge(general, gone);
    tenant().feedlessChannels.set(general.id, 500);
    await sync();
    expect(titles()).toEqual(["Gone for good.", "Kept."]);
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${harness.teamId}/${general.id}/`]);
    passHours(24);
    await sync();
    expect(titles()).toEqual(["Kept."]);
    expect(target.failures).toEqual([]);
  });

  it("follow a channel that comes later, under its new name, and let go of one that is gone", async () => {
    post("In general.");
    await sync();
    const later = addChannel("Later");
    post("Said later.", later);
    await sync();
    expect(titles()).toEqual(["In general.", "Said later."]);
    await sync();
    expect(asked()).toEqual(["messages/delta", "messages/delta"]);
    // Its name stands in every document of it.
    later.displayName = "Renamed";
    await sync();
    expect(target.opened).toHaveLength(1);
    expect(textOf(later.messages[0]!)).toContain("Renamed: ");
    tenant().teams.set(harness.teamId, [general]);
    await sync();
    expect(titles()).toEqual(["In general."]);
    expect(Object.keys((await position())["channels"] as object)).toHaveLength(1);
    await sync();
    expect(changes()).toEqual([]);
  });

  it("are all there in a channel that is gone and comes back while a team is not found, which is nobody's and then listed", async () => {
    const failingId = randomUUID();
    harness.config.teams.push(failingId);
    const elsewhere = tenant().addChannel(failingId, "Elsewhere", "standard");
    post("Said elsewhere.", elsewhere);
    const later = addChannel("Later");
    post("In general.");
    post("Said later.", later);
    await sync();
    tenant().teams.delete(failingId);
    tenant().teams.set(harness.teamId, [general]);
    await sync();
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${failingId}/`]);
    expect(titles()).toEqual(["In general.", "Said elsewhere."]);
    const readers = () =>
      [...target.documents].find(([ref]) => ref.startsWith(`${failingId}/`))?.[1].item.acl?.allow.length;
    expect(readers()).toBe(0);
    tenant().teams.set(harness.teamId, [general, later]);
    await sync();
    expect(titles()).toEqual(["In general.", "Said elsewhere.", "Said later."]);
    tenant().teams.set(failingId, [elsewhere]);
    await sync();
    expect(readers()).toBeGreaterThan(0);
    expect(target.opened).toEqual([]);
    expect(asked()).toEqual(["messages/delta", "messages/delta", "messages/delta", "messages"]);
  });

  it("keep their readers and places in a team whose channels cannot be listed for now", async () => {
    const { trouble } = harness.remote!;
    const failingId = randomUUID();
    harness.config.teams.push(failingId);
    post("Said elsewhere.", tenant().addChannel(failingId, "Elsewhere", "standard"));
    post("In general.");
    await sync();
    const held = target.held();
    const on = trouble.places.find((place) => place.includes(`/teams/${failingId}/channels`))!;
    const clock = createTestClock();
    trouble.begin({ kind: "given up", on }, clock);
    await sync({}, { clock });
    trouble.begin(null);
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${failingId}/`]);
    expect(target.held()).toEqual(held);
    await sync();
    expect(asked()).toEqual(["messages/delta", "messages/delta"]);
  });

  it("are all there in a channel that comes back after a sync was killed that let go of it, at any change", async () => {
    const later = addChannel("Later");
    post("In general.");
    for (const text of ["One.", "Two."]) post(text, later);
    await sync();
    const known = target;
    tenant().teams.set(harness.teamId, [general]);
    const whole = known.copy();
    await sync({}, {}, whole);
    expect(whole.documents.size).toBe(1);
    for (let at = 0; at < whole.changes.length; at += 1) {
      for (const write of ["lost", "done"] as const) {
        target = known.copy();
        tenant().teams.set(harness.teamId, [general]);
        await target.apply(read(target), { at, write });
        tenant().teams.set(harness.teamId, [general, later]);
        await sync();
        expect(titles(), `killed at ${at}, write ${write}`).toEqual(["In general.", "One.", "Two."]);
      }
    }
  });

  it.each([
    ["name", (channel: FakeChannel) => void (channel.displayName = "Renamed")],
    ["kind", (channel: FakeChannel) => void (channel.membershipType = "private")],
  ])(
    "are those of the channel's %s now where it goes back after a sync was killed, at any change",
    async (_, change) => {
      for (const text of ["One.", "Two.", "Three."]) post(text);
      await sync();
      const known = target;
      const stateOf = (of: MemoryTarget) =>
        [...of.documents.values()].map(({ item, text }) => [item.ref, item.acl, text]);
      const original = { ...general };
      change(general);
      const whole = known.copy();
      await sync({}, {}, whole);
      expect(stateOf(whole)).not.toEqual(stateOf(known));
      for (let at = 0; at < whole.changes.length; at += 1) {
        for (const write of ["lost", "done"] as const) {
          const { displayName, membershipType } = original;
          const killed = known.copy();
          change(general);
          await killed.apply(read(killed), { at, write });
          Object.assign(general, { displayName, membershipType });
          await sync({}, {}, killed);
          expect(stateOf(killed), `killed at ${at}, write ${write}`).toEqual(stateOf(known));
        }
      }
    },
  );

  it("go with a channel that had no feed, while the others are followed", async () => {
    post("In general.");
    const feedless = addChannel("Feedless");
    tenant().feedlessChannels.set(feedless.id, 400);
    post("Without a feed.", feedless);
    await sync();
    expect(titles()).toEqual(["In general.", "Without a feed."]);
    tenant().teams.set(harness.teamId, [general]);
    await sync();
    expect(titles()).toEqual(["In general."]);
    expect(asked()).toEqual(["messages/delta"]);
  });

  it("keep their place while another channel fails, which loses nothing and goes on where it was", async () => {
    const other = addChannel("Other");
    const [kept, changed] = [post("Kept."), post("To be reworded.", other)];
    await sync();
    tenant().brokenChannels.add(general.id);
    tenant().deleteMessage(kept);
    post("Said while it failed.");
    reword(changed, "Reworded.");
    await sync();
    expect(titles()).toEqual(["Kept.", "Reworded."]);
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${harness.teamId}/${general.id}/`]);
    // As the platform keeps what failed.
    const item = { ...[...target.documents.values()][0]!.item, ref: `${harness.teamId}/${general.id}/` };
    target.documents.set(item.ref, { item, text: "" });
    tenant().brokenChannels.clear();
    await sync();
    expect(asked()).not.toContain("messages");
    expect(titles()).toEqual(["Reworded.", "Said while it failed."]);
  });

  it("try a thread again that could not be read, and keep its last good state", async () => {
    const [broken, other] = [post("As it was."), post("Other.")];
    await sync();
    tenant().brokenMessages.add(broken.id);
    reword(broken, "As it is.");
    reword(other, "Other, reworded.");
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await sync();
      expect(titles()).toEqual(["As it was.", "Other, reworded."]);
      expect(target.failures.map(({ ref }) => ref)).toEqual([`${harness.teamId}/${general.id}/${broken.id}`]);
    }
    expect(target.opened).toEqual([]);
    tenant().brokenMessages.clear();
    await sync();
    expect(titles()).toEqual(["As it is.", "Other, reworded."]);
    expect(target.failures).toEqual([]);
  });

  it("keep what they were where a thread's answer cannot be understood, while the others are read", async () => {
    const [garbled, other] = [post("As it was."), post("Other.")];
    await sync();
    tenant().garbled.add(garbled.id);
    reword(garbled, "As it is.");
    reword(other, "Other, reworded.");
    await sync();
    expect(titles()).toEqual(["As it was.", "Other, reworded."]);
    expect(target.failures).toMatchObject([
      {
        ref: `${harness.teamId}/${general.id}/${garbled.id}`,
        error: { code: "SOURCE_UNREACHABLE", message: expect.stringContaining("Microsoft Graph sent an answer") },
      },
    ]);
    tenant().garbled.clear();
    await sync();
    expect(titles()).toEqual(["As it is.", "Other, reworded."]);
    expect(target.failures).toEqual([]);
  });

  it.each(["the feed tells", "a listing finds"])(
    "hold deletions back that %s, and find them again until a person confirms",
    async (how) => {
      const threads = ["One.", "Two.", "Three."].map((text) => post(text));
      await sync();
      for (const thread of threads.slice(0, 2)) tenant().purge(general, thread);
      if (how === "a listing finds") tenant().expireFeeds();
      for (let syncs = 0; syncs < 2; syncs += 1) {
        await sync({}, { deletions: defaultDeletionPolicy });
        expect(target.failures.map(({ error }) => error.code)).toEqual(["CONFLICT"]);
        expect(target.documents.size).toBe(3);
        expect(asked().includes("messages")).toBe(how === "a listing finds");
      }
      await sync({}, { deletions: { ...defaultDeletionPolicy, confirmed: true } });
      expect(titles()).toEqual(["Three."]);
      await sync();
      expect(asked()).toEqual(["messages/delta"]);
    },
  );

  it("are not listed again in the channels that a first sync had finished before it was killed", async () => {
    tenant().pageSize = 50;
    for (let count = 0; count < 150; count += 1) post(`Thread ${count}.`);
    const other = addChannel("Other");
    for (let count = 0; count < 150; count += 1) post(`Other thread ${count}.`, other);
    const whole = new MemoryTarget();
    await sync({}, {}, whole);
    const at = whole.changes.findIndex(({ type }) => type === "checkpoint");
    expect(at).toBeGreaterThan(150);
    expect(await target.apply(read(target), { at, write: "done" })).toBe("killed");
    post("Said meanwhile.");
    await sync();
    const listed = harness.fake.requests.filter((request) => request.endsWith("/messages"));
    expect(listed).toHaveLength(3);
    for (const request of listed) expect(request).toContain(encodeURIComponent(other.id));
    expect(target.opened).toHaveLength(300 - at + 1);
    expect(target.documents.size).toBe(301);
  });

  it("are not listed again in the channels that a complete listing had found whole before it was killed", async () => {
    tenant().pageSize = 50;
    const threads = Array.from({ length: 150 }, (_, number) => post(`Thread ${number}.`));
    const other = addChannel("Other");
    for (let count = 0; count < 150; count += 1) post(`Other thread ${count}.`, other);
    await sync();
    passHours(25);
    for (const missing of [false, true]) {
      if (missing) tenant().purge(general, threads[0]!);
      const killed = target.copy();
      expect(await killed.apply(read(killed), { at: 0, write: "done" })).toBe("killed");
      expect(killed.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
      await sync({}, {}, killed);
      const listed = harness.fake.requests.filter((request) => request.endsWith("/messages"));
      // Only in the run's end are deletions through, and known to be.
      expect(listed.some((request) => request.includes(encodeURIComponent(general.id)))).toBe(missing);
      expect(listed.filter((request) => request.includes(encodeURIComponent(other.id)))).toHaveLength(3);
      expect(killed.documents.size).toBe(missing ? 299 : 300);
    }
  });

  it("miss no deletion in a channel that is listed after some of it was read, where the sync is killed", async () => {
    tenant().feedNames = "replies";
    tenant().pageSize = 50;
    // Listed at each sync: what is known of all channels is counted before the next one is read.
    tenant().feedlessChannels.set(general.id, 400);
    const other = addChannel("Other");
    const [gone, thread] = [post("Gone for good.", other), post("Kept.", other)];
    const answer = reply(thread, "An answer.");
    const long = addChannel("Long");
    tenant().feedlessChannels.set(long.id, 400);
    for (let count = 0; count < 200; count += 1) post(`Thread ${count}.`, long);
    await sync();
    // Read alone, first of all; then the reply, of which nobody knows the thread, has the channel listed.
    tenant().post(other.messages, "New.", { id: "1" });
    tenant().purge(other, answer);
    tenant().purge(other, gone);
    const whole = target.copy();
    await sync({}, {}, whole);
    expect(whole.changes.map(({ type }) => type)).toContain("delete");
    for (let at = 0; at < whole.changes.length; at += 1) {
      const killed = target.copy();
      expect(await killed.apply(read(killed), { at, write: "lost" })).toBe("killed");
      await sync({}, {}, killed);
      expect(killed.held(), `killed at ${at}`).toEqual(whole.held());
    }
  });

  it("are listed, and not let go of, where a thread's first message is found and its replies are not", async () => {
    const thread = post("When is the harbour dredged?");
    reply(thread, "In May.");
    await sync();
    tenant().lostReplies.add(thread.id);
    tenant().deleteMessage(thread);
    await sync();
    expect(textOf(thread)).toContain("In May.");
    expect(asked()).toContain("messages");
    expect(target.failures).toEqual([]);
  });

  it("are listed after an upgrade from positions that do not say what they were made of", async () => {
    const thread = post("When is the harbour dredged?");
    await sync();
    target.cursor = await position();
    const channels = target.cursor["channels"] as Record<string, { of?: string }>;
    for (const state of Object.values(channels)) delete state.of;
    tenant().purge(general, thread);
    post("New.");
    await sync();
    expect(asked()).toContain("messages");
    expect(titles()).toEqual(["New."]);
    await sync();
    expect(asked()).toEqual(["messages/delta"]);
  });

  it("are listed after an upgrade from a cursor without positions, and lose nothing by it", async () => {
    const [gone, thread] = [post("Gone for good."), post("When is the harbour dredged?")];
    await sync();
    const { channels: _, ...rest } = await position();
    target.cursor = { ...rest, version: 1 };
    reply(thread, "In May.");
    tenant().purge(general, gone);
    await sync();
    expect(titles()).toEqual([thread.body.content]);
    expect(textOf(thread)).toContain("In May.");
    expect(target.cursor).toMatchObject({ version: 2 });
    await sync();
    expect(asked()).toEqual(["messages/delta"]);
  });

  it("are said in check() to be followed, and listed whole where there is nothing to follow", async () => {
    const checkChanges = async (given: Partial<TeamsConfig> = {}) => {
      const { checks } = await teamsConnector.check({ ...harness.config, ...given }, harness.secrets, testContext());
      return checks.find(({ capability }) => capability === "changes");
    };
    post("Hello.");
    expect(await checkChanges()).toMatchObject({ status: "ok", message: expect.stringContaining("every 24 hours") });
    expect(await checkChanges({ completeEveryHours: 1 })).toMatchObject({ message: expect.stringContaining("hour") });
    expect(await checkChanges({ completeEveryHours: 0 })).toMatchObject({ status: "ok" });
    tenant().feedlessChannels.set(general.id, 400);
    const warning = { status: "warning", message: expect.stringContaining("listed whole at each sync") };
    expect(await checkChanges()).toMatchObject(warning);
  });

  it("keep a position as small as it can be, and without the address that anybody can make", async () => {
    post("Hello.");
    await sync();
    const { channels } = await position();
    const [state] = Object.values(channels as Record<string, { link: string; listedAt: number }>);
    expect(state!.link).toMatch(/^\?\$deltatoken=/);
    expect(state!.listedAt).toBeCloseTo(tenant().now().getTime() / 1000, -1);
  });
});
