import { describe, expect, it } from "vitest";
import type { TeamChannel } from "./list-channels.ts";
import { packLink, parseTeamsCursor, stateKey, storedStates, unpackLink, type ChannelState } from "./teams-cursor.ts";

const origin = "https://graph.microsoft.com";
const feed = new URL(`${origin}/v1.0/teams/t/channels/19%3Aabc%40thread.tacv2/messages/delta`);

describe("a link that is stored", () => {
  it.each([feed.href, `${origin}/v1.0/teams/t/channels/19:abc@thread.tacv2/messages/delta`])(
    "leaves out its feed's own address: %s",
    (address) => {
      const packed = packLink(`${address}?$deltatoken=aQd%2BvS1.x-_`, feed);
      expect(packed).toBe("?$deltatoken=aQd%2BvS1.x-_");
      expect(unpackLink(packed, feed)).toBe(`${feed.href}?$deltatoken=aQd%2BvS1.x-_`);
    },
  );

  it.each([
    `${origin}/v1.0/teams/t/channels/19:abc@thread.tacv2/messages/microsoft.graph.delta()?$deltatoken=x`,
    `${origin}/v1.0/teams/t/channels/19:other@thread.tacv2/messages/delta?$deltatoken=x`,
    "https://other.example/v1.0/teams/t/channels/19:abc@thread.tacv2/messages/delta?$deltatoken=x",
    feed.href,
    "no address",
  ])("stays whole where it has another form: %s", (link) => {
    expect(packLink(link, feed)).toBe(link);
    expect(unpackLink(link, feed)).toBe(link);
  });
});

describe("what is stored of positions", () => {
  const state = (chars: number): ChannelState => ({ link: `?${"x".repeat(chars)}`, listedAt: 1_767_225_600 });

  it("is all of them for two thousand channels, and not more than half a mebibyte", () => {
    const many = (count: number, chars: number) =>
      new Map(Array.from({ length: count }, (_, number) => [`channel-${number}`.padEnd(24, "."), state(chars)]));
    expect(Object.keys(storedStates(many(2000, 200)))).toHaveLength(2000);
    const stored = storedStates(many(20_000, 200));
    expect(JSON.stringify(stored).length).toBeLessThanOrEqual(512 * 1024);
    expect(Object.keys(stored).length).toBeGreaterThan(1900);
    // Those that come first stay the same ones.
    expect(Object.keys(stored)[0]).toBe("channel-0".padEnd(24, "."));
  });

  it("belongs to a channel as it is now", () => {
    const channel: TeamChannel = { teamId: "t", id: "c", displayName: "General", membershipType: "standard" };
    const key = stateKey(channel, "settings");
    expect(stateKey({ ...channel }, "settings")).toBe(key);
    for (const other of [
      stateKey({ ...channel, displayName: "Renamed" }, "settings"),
      stateKey({ ...channel, membershipType: "private" }, "settings"),
      stateKey({ ...channel, teamId: "u" }, "settings"),
      stateKey(channel, "others"),
    ])
      expect(other).not.toBe(key);
  });

  it("is nothing in a cursor of the first version, whose files go on where they were", () => {
    const files = { version: 1, drives: {} };
    const cursor = parseTeamsCursor({ version: 1, files, folders: { drive: { channel: "folder" } } });
    expect(cursor).toEqual({ version: 2, files, folders: { drive: { channel: "folder" } }, channels: {} });
    expect(parseTeamsCursor({ version: 3, channels: { key: state(1) } })).toEqual(parseTeamsCursor(null));
  });
});
