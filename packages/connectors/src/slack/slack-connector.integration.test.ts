import { mayRead } from "@anneal/core/access/acl";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "../../conformance/describe-permissions.ts";
import { FakeSlack } from "../../conformance/fake-slack/fake-slack.ts";
import type { FakeChannel } from "../../conformance/fake-slack/slack-state.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import type { Trouble } from "../../conformance/remote-trouble.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import { slackConfigSchema, type SlackConfig, type SlackSecrets } from "./config.ts";
import { slackConnector } from "./slack-connector.ts";

const context = testContext();

function configOf(slack: FakeSlack, config: Partial<SlackConfig> = {}): SlackConfig {
  return slackConfigSchema.parse({ apiUrl: slack.apiUrl, allowPrivateHosts: true, ...config });
}

/** A document is a thread: the text is its root's, and there is one reply. */
async function createHarness(
  channelNameOf: (name: string) => string,
  teamId?: string,
): Promise<PermissionHarness<SlackConfig, SlackSecrets>> {
  const slack = await FakeSlack.start(teamId);
  const ids = Object.fromEntries(["ann", "bob", "eve"].map((name) => [name, slack.addUser(name).id]));
  const idOf = (person: string) => ids[person]!;
  const threads = new Map<string, { channel: FakeChannel; ts: string }>();
  /** Also of what is gone. */
  const refs = new Map<string, string>();
  const channelOf = (name: string) =>
    [...slack.channels.values()].find((channel) => channel.name === name) ?? slack.addChannel(name);
  const putInto = (channel: FakeChannel, name: string, text: string) => {
    const root = slack.post(channel, idOf("ann"), text);
    slack.post(channel, idOf("bob"), "Thanks, noted.", { thread: root.ts });
    threads.set(name, { channel, ts: root.ts });
    refs.set(name, `${channel.id}/${root.ts}`);
  };
  const removeThread = (name: string) => {
    const { channel, ts } = threads.get(name)!;
    slack.removeThread(channel, ts);
    threads.delete(name);
  };
  const textOf = (name: string) => {
    const { channel, ts } = threads.get(name)!;
    return channel.messages.get(ts)!.text;
  };
  const setMembers = (channel: FakeChannel, members: readonly string[]) => {
    channel.isPrivate = true;
    channel.members = new Set([slack.botId, ...members.map(idOf)]);
  };

  return {
    connector: slackConnector,
    config: configOf(slack),
    secrets: { botToken: slack.token },
    refOf: (name) => refs.get(name) ?? "",
    async put(name, text) {
      const existing = threads.get(name);
      if (existing === undefined) putInto(channelOf(channelNameOf(name)), name, text);
      else slack.edit(existing.channel, existing.ts, text);
    },
    remove: async (name) => removeThread(name),
    async move(from, to) {
      putInto(channelOf(channelNameOf(to)), to, textOf(from));
      removeThread(from);
    },
    async breakItem(name) {
      const { ts } = threads.get(name)!;
      slack.brokenThreads.add(ts);
      return async () => void slack.brokenThreads.delete(ts);
    },
    /** The app is put out of every channel. */
    async vanish() {
      for (const channel of slack.channels.values()) channel.members.delete(slack.botId);
      return async () => {
        for (const channel of slack.channels.values()) channel.members.add(slack.botId);
      };
    },
    setClock: async (aheadMs) => void (slack.aheadMs = aheadMs),
    remote: {
      trouble: slack.trouble,
      staleCursor: () => slack.expireCursor(),
      tellsReaders: /conversations\.members/,
      tellsMembers: /conversations\.members/,
      aboutAll: /auth\.test|users\.conversations/,
    },
    close: () => slack.close(),

    emailOf: (person) => `${person}@example.com`,
    /** A group of Slack's permissions is a channel. */
    setGroup: async (group, members) => setMembers(channelOf(group), members),
    /** Slack shares channels, not messages: the document's own channel gets the audience, or the document the channel. */
    async share(name: string, allow: readonly Who[]) {
      const { channel } = threads.get(name)!;
      const people = allow.flatMap((who) => (typeof who === "object" && "user" in who ? [who.user] : []));
      const group = allow.find((who) => typeof who === "object" && "group" in who);
      if (group !== undefined) {
        const text = textOf(name);
        removeThread(name);
        putInto(channelOf((group as { group: string }).group), name, text);
        return;
      }
      setMembers(channel, people);
      if (allow.includes("anyone")) channel.isPrivate = false;
    },
    async breakPermissions(name) {
      const { channel } = threads.get(name)!;
      slack.brokenMembers.add(channel.id);
      return async () => void slack.brokenMembers.delete(channel.id);
    },
    supports: { groups: true, nestedGroups: false, deny: false, domain: false, anyone: true },
  };
}

describeConnector("slack", () => createHarness((name) => name.split("/").slice(0, -1).join("-") || "general"), "http");
const channelOfItsOwn = (name: string) => name.replaceAll(/\W/g, "-");
describePermissions(
  "slack",
  () => createHarness(channelOfItsOwn),
  () => createHarness(channelOfItsOwn, "T0OTHER"),
);

const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);

describe("slack", () => {
  let slack: FakeSlack;
  let target: MemoryTarget;
  let ann: string;
  let bob: string;
  beforeEach(async () => {
    slack = await FakeSlack.start();
    target = new MemoryTarget();
    ann = slack.addUser("Ann Lee").id;
    bob = slack.addUser("Bob").id;
  });
  afterEach(() => slack.close());

  const read = (config: Partial<SlackConfig> = {}, inContext = context) =>
    slackConnector.read({
      config: configOf(slack, config),
      secrets: { botToken: slack.token },
      cursor: target.cursor,
      known: target.known(),
      context: inContext,
    });
  const sync = async (config: Partial<SlackConfig> = {}) => {
    slack.calls.length = 0;
    await target.apply(read(config));
  };
  const errorOf = async (config: Partial<SlackConfig> = {}, botToken = slack.token) =>
    target
      .apply(
        slackConnector.read({
          config: configOf(slack, config),
          secrets: { botToken },
          cursor: null,
          known: target.known(),
          context,
        }),
      )
      .then(
        () => null,
        (error: unknown) => error,
      );
  const check = (config: Partial<SlackConfig> = {}) =>
    slackConnector.check(configOf(slack, config), { botToken: slack.token }, context);
  const textOf = (ref: string) => target.documents.get(ref)?.text;
  const readersOf = async (ref: string, people: string[]) => {
    const directory = await MemoryDirectory.read(
      slackConnector.readDirectory!({ config: configOf(slack), secrets: { botToken: slack.token }, context }),
    );
    const acl = target.documents.get(ref)?.item.acl;
    return people.filter((email) => mayRead(acl, directory.heldBy(email)));
  };

  it("tells a sync that goes through all messages about how many documents there are, by how far back it has read", async () => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);
    for (const [name, days] of Object.entries({ general: 100, lunch: 20 })) {
      const channel = slack.addChannel(name, { created: daysAgo(days) });
      for (let day = 1; day < days; day += 1) {
        const { ts } = slack.post(channel, bob, `Question of ${day} days ago`, { at: daysAgo(day) });
        if (name === "general") slack.post(channel, ann, "Yes.", { thread: ts, at: daysAgo(day - 0.1) });
      }
    }
    await sync();
    expect(target.documents.size).toBe(99 + 19);
    expect(progressOf(target).length).toBe(2);
    for (const { total, listsAll } of progressOf(target)) {
      expect(listsAll).toBe(true);
      expect(total).toBeGreaterThan(118 * 0.9);
      expect(total).toBeLessThan(118 * 1.1);
    }
  });

  it("says of a sync whether it goes through all messages", async () => {
    const general = slack.addChannel("general");
    for (let index = 0; index < 50; index += 1) {
      slack.post(general, ann, "Yes.", { thread: slack.post(general, bob, `Question ${index}`).ts });
    }
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const { listsAll } of progressOf(target)) expect(listsAll).toBe(true);
    await sync();
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: null, listsAll: false });
  });

  it("makes one document of a thread and one of a day's other messages, as a person would read them", async () => {
    const general = slack.addChannel("general");
    const at = new Date("2026-03-04T10:15:00Z");
    slack.post(general, bob, "joined", { at, subtype: "channel_join" });
    const first = slack.post(general, ann, "Is &lt;b&gt; closed? See <https://example.com/plan|the plan>", { at });
    const root = slack.post(general, bob, `<@${ann}> the pump leaks`, { at });
    slack.post(general, ann, "Tighten the valve.", {
      at,
      thread: root.ts,
      files: [
        {
          id: "F1",
          name: "valve.pdf",
          mimetype: "application/pdf",
          size: 2000,
          permalink: "https://acme.slack.com/f/F1",
        },
      ],
    });
    await sync();
    expect([...target.documents.keys()].sort()).toEqual(
      [`${general.id}/${root.ts}`, `${general.id}/2026-03-04`].sort(),
    );
    expect(textOf(`${general.id}/2026-03-04`)).toBe(
      "#general, 2026-03-04\n\n2026-03-04 10:15 Ann Lee: Is <b> closed? See the plan (https://example.com/plan)\n",
    );
    expect(textOf(`${general.id}/${root.ts}`)).toBe(
      [
        "#general: @Ann Lee the pump leaks",
        "2026-03-04 10:15 Bob: @Ann Lee the pump leaks",
        "2026-03-04 10:15 Ann Lee: Tighten the valve.\n[File: valve.pdf (application/pdf, 2 KiB) https://acme.slack.com/f/F1]\n",
      ].join("\n\n"),
    );
    expect(target.documents.get(`${general.id}/2026-03-04`)?.item.uri).toBe(
      `https://acme.slack.com/archives/${general.id}/p${first.ts.replace(".", "")}`,
    );
  });

  it("moves a message from its day to a thread when somebody replies", async () => {
    const general = slack.addChannel("general");
    const message = slack.post(general, ann, "Who has the key?");
    const day = `${general.id}/${new Date().toISOString().slice(0, 10)}`;
    await sync();
    expect([...target.documents.keys()]).toEqual([day]);
    slack.post(general, bob, "I have.", { thread: message.ts });
    await sync();
    expect([...target.documents.keys()]).toEqual([`${general.id}/${message.ts}`]);
  });

  it("keeps the replies of a root that was deleted, without its words", async () => {
    const general = slack.addChannel("general");
    const root = slack.post(general, ann, "A secret plan");
    slack.post(general, bob, "Good plan", { thread: root.ts });
    await sync();
    slack.remove(general, root.ts);
    await sync();
    expect(textOf(`${general.id}/${root.ts}`)).toContain("Good plan");
    expect(textOf(`${general.id}/${root.ts}`)).not.toMatch(/secret plan|deleted/);
  });

  it("finds edits and deletions of the last days in the next sync, and older ones in a complete one", async () => {
    const general = slack.addChannel("general");
    const old = slack.post(general, ann, "Old day", { at: daysAgo(20) });
    const oldRoot = slack.post(general, ann, "Old thread", { at: daysAgo(30) });
    const oldReply = slack.post(general, bob, "Old reply", { at: daysAgo(30), thread: oldRoot.ts });
    const recent = slack.post(general, ann, "Recent day", { at: daysAgo(1) });
    const gone = slack.post(general, ann, "Recent and gone", { at: daysAgo(2) });
    slack.post(general, ann, "Now");
    await sync();
    const refOfDay = (ts: string) => `${general.id}/${new Date(Number(ts) * 1000).toISOString().slice(0, 10)}`;
    const oldThread = `${general.id}/${oldRoot.ts}`;
    slack.edit(general, recent.ts, "Recent, edited");
    slack.remove(general, gone.ts);
    slack.remove(general, old.ts);
    slack.edit(general, oldReply.ts, "Old reply, edited");
    await sync();
    expect(target.opened).toEqual([refOfDay(recent.ts)]);
    expect(textOf(refOfDay(recent.ts))).toContain("Recent, edited");
    expect(target.documents.has(refOfDay(gone.ts))).toBe(false);
    expect(target.documents.has(refOfDay(old.ts))).toBe(true);
    expect(slack.countOf("conversations.replies")).toBe(0);
    await sync({ completeEvery: 2 });
    expect(target.opened).toEqual([oldThread]);
    expect(textOf(oldThread)).toContain("Old reply, edited");
    expect(target.documents.has(refOfDay(old.ts))).toBe(false);
  });

  it("reads a thread that was too large once more is allowed, however old it is", async () => {
    const general = slack.addChannel("general");
    const root = slack.post(general, ann, "x".repeat(1500), { at: daysAgo(30) });
    slack.post(general, bob, "That is long", { at: daysAgo(30), thread: root.ts });
    slack.post(general, ann, "Now");
    const small = { ...context, limits: { ...context.limits, documentBytes: 1000 } };
    const ref = `${general.id}/${root.ts}`;
    await target.apply(read({}, small));
    expect(target.failures).toMatchObject([{ ref, error: { code: "DOCUMENT_TOO_LARGE" } }]);
    await target.apply(read({}, small));
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    await sync();
    expect(target.opened).toEqual([ref]);
    await sync();
    expect(target.opened).toEqual([]);
  });

  it("says at each sync that deletions wait for a person, wherever they were found, until one confirms them", async () => {
    const general = slack.addChannel("general");
    const post = (days: number) => slack.post(general, ann, `Said ${days} days ago`, { at: daysAgo(days) });
    const removed = { old: [60, 50].map(post), recent: [31, 30].map(post) };
    post(29);
    await sync();
    const syncUnder = async (deletions: DeletionPolicy, config: Partial<SlackConfig> = {}) => {
      await target.apply(read(config, { ...context, deletions }));
      return target.failures.map(({ error }) => error.code);
    };
    const confirmed = { ...defaultDeletionPolicy, confirmed: true };
    for (const { ts } of removed.recent) slack.remove(general, ts);
    for (const days of [15, 1]) {
      post(days);
      expect(await syncUnder(defaultDeletionPolicy)).toEqual(["CONFLICT"]);
    }
    expect(await syncUnder(confirmed)).toEqual([]);
    for (const { ts } of removed.old) slack.remove(general, ts);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual([]);
    expect(await syncUnder(defaultDeletionPolicy, { completeEvery: 2 })).toEqual(["CONFLICT"]);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual(["CONFLICT"]);
    expect(await syncUnder(confirmed)).toEqual([]);
    expect(target.documents.size).toBe(3);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual([]);
  });

  it("hides a channel that was chosen and that the app was put out of, and reads it whole when it is back", async () => {
    const [general, projects] = ["general", "projects"].map((name) => slack.addChannel(name));
    slack.post(general!, ann, "Hello");
    slack.post(projects!, ann, "Long ago", { at: daysAgo(200) });
    const config = { channels: ["general", "projects"] };
    const syncChosen = () => target.apply(read(config));
    await syncChosen();
    const readers = () =>
      [...target.documents.values()].map(({ item, text }) => [text.includes("Hello"), item.acl?.allow.length]).sort();
    projects!.members.delete(slack.botId);
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await syncChosen();
      expect(readers()).toEqual([
        [false, 0],
        [true, 1],
      ]);
    }
    projects!.members.add(slack.botId);
    await syncChosen();
    expect(readers()).toEqual([
      [false, 1],
      [true, 1],
    ]);
  });

  it("keeps what was said in a channel that the app was put out of until a person confirms, but for a small one", async () => {
    const [general, projects, lunch] = ["general", "projects", "lunch"].map((name) => slack.addChannel(name));
    const say = (channel: FakeChannel, days: number) => {
      for (let day = 1; day <= days; day += 1) slack.post(channel, ann, `Said ${day} days ago`, { at: daysAgo(day) });
    };
    say(general!, 60);
    say(projects!, 50);
    say(lunch!, 3);
    await sync();
    const held = () =>
      [general!, projects!, lunch!].map(
        ({ id }) => [...target.documents.keys()].filter((ref) => ref.startsWith(`${id}/`)).length,
      );
    for (const { members } of [projects!, lunch!]) members.delete(slack.botId);
    for (let syncs = 0; syncs < 2; syncs += 1) {
      // Less than half of all documents go.
      await target.apply(read({}, { ...context, deletions: { maxShare: 0.5, confirmed: false } }));
      expect(held()).toEqual([60, 50, 0]);
      expect(target.failures.map(({ ref, error }) => [ref, error.details?.["missing"]])).toEqual([["", 50]]);
      expect(target.failures[0]?.error.message).toContain(projects!.id);
    }
    await target.apply(read({}, { ...context, deletions: { maxShare: 0.5, confirmed: true } }));
    expect(held()).toEqual([60, 0, 0]);
    expect(target.failures).toEqual([]);
  });

  it("reads an old thread again when a reply to it was also sent to the channel", async () => {
    const general = slack.addChannel("general");
    const root = slack.post(general, ann, "Old thread", { at: daysAgo(30) });
    slack.post(general, bob, "Old reply", { at: daysAgo(30), thread: root.ts });
    slack.post(general, bob, "Now");
    await sync();
    slack.post(general, bob, "Solved at last", { thread: root.ts, broadcast: true });
    await sync();
    expect(target.opened).toEqual([`${general.id}/${root.ts}`]);
    expect(textOf(`${general.id}/${root.ts}`)).toContain("Solved at last");
  });

  it("reads a channel that the app joins from its beginning, also when killed in its middle", async () => {
    const general = slack.addChannel("general");
    slack.post(general, ann, "Hello");
    await sync();
    const projects = slack.addChannel("projects");
    for (const days of [40, 30, 20, 10]) slack.post(projects, ann, `About ${days}`, { at: daysAgo(days) });
    const before = structuredClone([...target.documents]);
    const { cursor } = target;
    for (let at = 0; at < 5; at += 1) {
      target = new MemoryTarget();
      target.cursor = cursor;
      for (const [ref, document] of before) target.documents.set(ref, document);
      await target.apply(read(), { at, write: "done" });
      await sync();
      expect(target.documents.size, `killed at ${at}`).toBe(5);
    }
  });

  it("keeps the documents of a channel that fails, and reads it whole when it answers again", async () => {
    const general = slack.addChannel("general");
    const projects = slack.addChannel("projects");
    slack.post(general, ann, "Hello");
    slack.post(projects, ann, "Plan", { at: daysAgo(20) });
    await sync();
    slack.brokenHistories.add(projects.id);
    slack.post(projects, ann, "Missed", { at: daysAgo(10) });
    await sync();
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${projects.id}/`]);
    expect(target.documents.size).toBe(2);
    slack.brokenHistories.clear();
    await sync();
    expect(target.documents.size).toBe(3);
  });

  it("tries a thread that failed again, however old it is", async () => {
    const general = slack.addChannel("general");
    const root = slack.post(general, ann, "Old thread", { at: daysAgo(30) });
    slack.post(general, bob, "Reply", { at: daysAgo(30), thread: root.ts });
    slack.post(general, bob, "Now");
    slack.brokenThreads.add(root.ts);
    await sync();
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${general.id}/${root.ts}`]);
    slack.brokenThreads.clear();
    await sync();
    expect(target.opened).toEqual([`${general.id}/${root.ts}`]);
  });

  it("tries a day that failed again, however old it is, and that day alone", async () => {
    const general = slack.addChannel("general");
    const at = daysAgo(30);
    const day = `${general.id}/${at.toISOString().slice(0, 10)}`;
    slack.post(general, ann, "Old thread", { at: daysAgo(31) });
    slack.post(general, bob, "Old day", { at });
    slack.post(general, bob, "A day later", { at: daysAgo(29) });
    const root = slack.post(general, ann, "Old thread", { at });
    slack.post(general, ann, "Reply", { at, thread: root.ts });
    slack.post(general, ann, "Now");
    await sync();
    expect(target.documents.has(day)).toBe(true);
    // Each sync fails to learn who is meant, until the gateway lets it.
    slack.post(general, ann, "For <@U0NEW>", { at });
    const syncTroubled = async (trouble: Trouble | null, config: Partial<SlackConfig> = {}) => {
      const clock = createTestClock();
      slack.trouble.begin(trouble, clock);
      slack.calls.length = 0;
      await target.apply(read(config, { ...context, clock }));
      return target.failures.map(({ ref }) => ref);
    };
    const givenUp = { kind: "given up", on: "POST /api/users.info user=U0NEW" } as const;
    expect(await syncTroubled(givenUp, { completeEvery: 1 })).toEqual([day]);
    expect(await syncTroubled(givenUp)).toEqual([day]);
    expect(textOf(day)).not.toContain("For");
    expect(await syncTroubled(null)).toEqual([]);
    expect(target.opened).toEqual([day]);
    expect(textOf(day)).toContain("For");
    expect(slack.countOf("conversations.replies")).toBe(0);
    expect(await syncTroubled(null)).toEqual([]);
    expect(target.opened).toEqual([]);
    expect(slack.countOf("conversations.history")).toBe(1);
  });

  it("goes on with a complete listing without reading its threads a second time", async () => {
    const general = slack.addChannel("general");
    for (let thread = 0; thread < 120; thread += 1) {
      const root = slack.post(general, ann, `Thread ${thread}`, { at: daysAgo(1 + thread) });
      slack.post(general, bob, "Reply", { thread: root.ts });
    }
    slack.pageSize = 100;
    expect(await target.apply(read(), { at: 110, write: "done" })).toBe("killed");
    await sync();
    expect(slack.countOf("conversations.replies")).toBeLessThanOrEqual(20);
    expect(target.documents.size).toBe(120);
  });

  it("reads only the chosen channels, by name or id, and says which it is not in", async () => {
    const general = slack.addChannel("general");
    const projects = slack.addChannel("projects");
    const other = slack.addChannel("other");
    for (const channel of [general, projects, other]) slack.post(channel, ann, "Hello");
    const config = { channels: ["#General", projects.id, "nowhere"] };
    await sync(config);
    const channels = [...target.documents.keys()].map((ref) => ref.split("/")[0]);
    expect(channels.sort()).toEqual([general.id, projects.id]);
    expect(target.failures.map(({ ref }) => ref)).toEqual(["nowhere/"]);
    const { checks, error } = await check(config);
    expect(error).toBeNull();
    expect(checks.find(({ status }) => status === "warning")?.message).toMatch(/#nowhere.*\/invite/);
  });

  it("leaves out what was said before the day from which it reads, and takes it out when that day moves", async () => {
    const general = slack.addChannel("general");
    slack.post(general, ann, "Old", { at: daysAgo(30) });
    slack.post(general, ann, "New");
    await sync();
    expect(target.documents.size).toBe(2);
    await sync({ since: daysAgo(5).toISOString().slice(0, 10) });
    expect([...target.documents.values()].map(({ text }) => text.includes("New"))).toEqual([true]);
  });

  it("never reads direct messages, whatever the app may", async () => {
    for (const scope of ["im:read", "im:history", "mpim:read", "mpim:history"]) slack.scopes.add(scope);
    slack.post(slack.addChannel("general"), ann, "Hello");
    for (const kind of ["im", "mpim"] as const) {
      slack.post(slack.addChannel(kind, { kind, isPrivate: true }), ann, "For your eyes only");
    }
    await sync();
    expect(target.documents.size).toBe(1);
  });

  it("shows a public channel to full members and to the guests in it, and to no stranger", async () => {
    const guest = slack.addUser("guest in", { guest: true });
    slack.addUser("guest out", { guest: true });
    slack.addUser("left", { deleted: true });
    const outsiders = [
      slack.addUser("of another workspace", { teamId: "T0OTHER" }),
      slack.addUser("stranger", { stranger: true }),
      slack.addUser("integration", { bot: true }),
    ];
    slack.addUser("unconfirmed", { emailConfirmed: false });
    const general = slack.addChannel("general", { members: new Set([guest, ...outsiders].map(({ id }) => id)) });
    const message = slack.post(general, ann, "Hello");
    await sync();
    const ref = `${general.id}/${new Date(Number(message.ts) * 1000).toISOString().slice(0, 10)}`;
    const everybody = [...slack.users.values()].map(({ email }) => email).filter((email) => email !== "");
    expect(await readersOf(ref, everybody)).toEqual(["ann.lee@example.com", "bob@example.com", "guest.in@example.com"]);
  });

  it("shows a public channel to full members while Slack does not tell its guests, and says so", async () => {
    const guest = slack.addUser("guest in", { guest: true });
    const general = slack.addChannel("general", { members: new Set([guest.id]) });
    slack.post(general, ann, "Hello", { at: new Date("2026-01-05T08:00:00Z") });
    await sync();
    slack.brokenMembers.add(general.id);
    const everybody = [...slack.users.values()].map(({ email }) => email).filter((email) => email !== "");
    expect(await readersOf(`${general.id}/2026-01-05`, everybody)).toEqual(["ann.lee@example.com", "bob@example.com"]);
    const failures: unknown[] = [];
    const request = { config: configOf(slack), secrets: { botToken: slack.token }, context };
    for await (const entry of slackConnector.readDirectory!(request))
      if (entry.type === "failure") failures.push(entry);
    expect(failures).toMatchObject([{ error: { message: expect.stringContaining('"#general"') } }]);
  });

  it("closes every document of a channel that is made private, old ones too, without reading one", async () => {
    const general = slack.addChannel("general", { members: new Set([ann]) });
    slack.post(general, ann, "Old", { at: new Date("2026-01-05T08:00:00Z") });
    await sync();
    const people = ["ann.lee@example.com", "bob@example.com"];
    expect(await readersOf(`${general.id}/2026-01-05`, people)).toEqual(people);
    general.isPrivate = true;
    expect(await readersOf(`${general.id}/2026-01-05`, people)).toEqual(["ann.lee@example.com"]);
  });

  it("does not write a private channel's name where others read", async () => {
    const board = slack.addChannel("board-secret", { isPrivate: true });
    const general = slack.addChannel("general");
    slack.post(general, ann, `We talk in <#${board.id}>`, { at: new Date("2026-01-05T08:00:00Z") });
    await sync();
    expect(textOf(`${general.id}/2026-01-05`)).toContain(`#${board.id}`);
    expect(textOf(`${general.id}/2026-01-05`)).not.toContain("board-secret");
  });

  it("ends at a position that Slack no longer accepts, to be tried again", async () => {
    const general = slack.addChannel("general");
    for (let message = 0; message < 6; message += 1) slack.post(general, ann, "Hello", { at: daysAgo(message) });
    slack.expireCursor();
    expect(await errorOf()).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    await sync();
    expect(target.documents.size).toBe(6);
  });

  it("says which token is refused without repeating it", async () => {
    slack.addChannel("general");
    const wrong = await errorOf({}, "xoxb-very-secret");
    expect(wrong).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(JSON.stringify(wrong, Object.getOwnPropertyNames(wrong))).not.toContain("very-secret");
    slack.refusal = "token_revoked";
    expect(await errorOf()).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect((await check()).error?.code).toBe("SOURCE_CREDENTIALS");
  });

  it.each(["channels:read", "channels:history", "groups:read", "groups:history", "users:read"])(
    "names the scope %s where the app lacks it",
    async (scope) => {
      const message = slack.post(slack.addChannel("general"), ann, "Hello");
      slack.post(slack.addChannel("board", { isPrivate: true }), ann, `Hello, ${message.ts}`);
      slack.scopes.delete(scope);
      expect(await errorOf()).toMatchObject({ code: "SOURCE_FORBIDDEN", message: expect.stringContaining(scope) });
      const { checks } = await check();
      expect(checks.at(-1)).toMatchObject({ status: "missing", message: expect.stringContaining(scope) });
    },
  );

  it("warns that nobody is recognised without users:read.email", async () => {
    slack.post(slack.addChannel("general"), ann, "Hello");
    slack.scopes.delete("users:read.email");
    const { checks, error } = await check();
    expect(error).toBeNull();
    expect(checks.find(({ capability }) => capability === "permissions")).toMatchObject({
      status: "warning",
      message: expect.stringContaining("users:read.email"),
    });
  });
});
