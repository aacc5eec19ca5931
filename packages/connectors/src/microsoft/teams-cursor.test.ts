import { describe, expect, it } from "vitest";
import type { TeamChannel } from "./list-channels.ts";
import {
  madeOf,
  packLink,
  parseTeamsCursor,
  stateKey,
  teamPart,
  unpackLink,
  type ChannelState,
} from "./teams-cursor.ts";

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
  const channel: TeamChannel = { teamId: "t", id: "c", displayName: "General", membershipType: "standard" };
  const state = (chars: number): ChannelState => ({
    link: `?${"x".repeat(chars)}`,
    listedAt: 1_767_225_600,
    of: madeOf(channel, "settings"),
  });

  it("is found by the channel alone, whose team the key tells", () => {
    const key = stateKey(channel);
    expect(stateKey({ ...channel, displayName: "Renamed" } as TeamChannel)).toBe(key);
    expect(key.startsWith(teamPart("t"))).toBe(true);
    const elsewhere = stateKey({ ...channel, teamId: "u" });
    expect(elsewhere.startsWith(teamPart("t"))).toBe(false);
    for (const other of [elsewhere, stateKey({ ...channel, id: "d" })]) expect(other).not.toBe(key);
  });

  it("counts for a channel as it is now", () => {
    const of = madeOf(channel, "settings");
    expect(madeOf({ ...channel, id: "d" }, "settings")).toBe(of);
    for (const other of [
      madeOf({ ...channel, displayName: "Renamed" }, "settings"),
      madeOf({ ...channel, membershipType: "private" }, "settings"),
      madeOf(channel, "others"),
    ])
      expect(other).not.toBe(of);
  });

  it("is kept with the files' where an earlier version did not say what it was made of", () => {
    const files = { version: 1, drives: {} };
    const { of: _, ...old } = state(1);
    const cursor = parseTeamsCursor({ version: 2, files, folders: {}, channels: { key: old } });
    expect(cursor).toEqual({ version: 2, files, folders: {}, channels: { key: { ...old, of: "" } }, fileCount: null });
  });

  it("is nothing in a cursor of the first version, whose files go on where they were", () => {
    const files = { version: 1, drives: {} };
    const cursor = parseTeamsCursor({ version: 1, files, folders: { drive: { channel: "folder" } } });
    expect(cursor).toEqual({
      version: 2,
      files,
      folders: { drive: { channel: "folder" } },
      channels: {},
      fileCount: null,
    });
    expect(parseTeamsCursor({ version: 3, channels: { key: state(1) } })).toEqual(parseTeamsCursor(null));
  });
});
