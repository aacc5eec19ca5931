import { describe, expect, it } from "vitest";
import { mentionedUsers, readableText, type NameSource } from "./mrkdwn.ts";

const names: NameSource = {
  user: (id) => (id === "U01" ? "Ann Lee" : null),
  channel: (id) => (id === "C01" ? "general" : null),
};

describe("readableText", () => {
  it.each([
    ["<@U01> asks <@U02>", "@Ann Lee asks @U02"],
    ["<@U02|bob>", "@bob"],
    ["see <#C01> and <#C01|random>", "see #general and #random"],
    ["a private one: <#C99> <#C99|>", "a private one: #C99 #C99"],
    ["<!here> <!channel|channel> <!subteam^S1|@finance> <!subteam^S1>", "@here @channel @finance @group"],
    ["<!date^1392734382^{date}^https://example.com|18 Feb>", "18 Feb"],
    ["<https://example.com/a?b=1&amp;c=2|the plan>", "the plan (https://example.com/a?b=1&c=2)"],
    ["<https://example.com>", "https://example.com"],
    ["<mailto:ann@example.com|ann@example.com>", "ann@example.com"],
    ["a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"],
    ["&amp;lt; stays an entity that was typed", "&lt; stays an entity that was typed"],
    ["*bold* _and_ `code` stay as typed", "*bold* _and_ `code` stay as typed"],
  ])("reads %j as %j", (text, expected) => {
    expect(readableText(text, names)).toBe(expected);
  });
});

it("finds the people whom a text mentions, and no links", () => {
  expect(mentionedUsers("<@U01> <@W02|bob> <#C01> <https://example.com/@U03>")).toEqual(["U01", "W02"]);
});
