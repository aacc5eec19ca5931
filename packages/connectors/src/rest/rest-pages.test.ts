import { describe, expect, it } from "vitest";
import { restConfigSchema } from "./config.ts";
import { readItemDirectory } from "./read-directory.ts";
import { readersOf } from "./readers.ts";
import { addressOf, nextLink, restListing, splitAssignment } from "./rest-pages.ts";
import { listToldGroups } from "./told-groups.ts";

describe("nextLink", () => {
  it.each([
    [
      '<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last"',
      "https://x.example/a?page=2",
    ],
    ['<https://x.example/1>; rel="prev", </a?ids=1,2>; rel=next', "/a?ids=1,2"],
    ['<b>; title="a, b"; rel="last next"', "b"],
    ['<c>;rel="NEXT"', "c"],
    ['<https://x.example/a>; rel="last"', null],
    ['<x>; title="rel=next"', null],
    ["", null],
    [null, null],
  ])("%j leads to %j", (header, expected) => {
    expect(nextLink(header)).toBe(expected);
  });
});

describe("restListing", () => {
  const answering =
    (
      answer: (address: string, query: Record<string, string>) => unknown,
    ): Parameters<typeof restListing>[0]["exchange"] =>
    async (address, schema, options) => {
      const data = schema.parse(answer(String(address), (options as { query: Record<string, string> }).query));
      return { data, status: 200, headers: new Headers(), url: String(address) };
    };

  it("reads groups that are listed a membership a row to their end", async () => {
    const config = restConfigSchema.parse({
      url: "https://x.example",
      list: "items",
      items: "rows",
      id: "id",
      pagination: "cursor",
      next: "next",
      allow: "readers",
      groups: "memberships",
      groupItems: "rows",
      groupId: "group",
      groupMembers: "member",
    });
    const rows = Array.from({ length: 8 }, (_, at) => ({ group: "staff", member: `p${at}@x.example` }));
    const exchange = answering((address, query) => {
      if (!address.endsWith("/memberships")) return { rows: [] };
      const at = Number(query["cursor"] ?? 0);
      return { rows: rows.slice(at, at + 2), next: at + 2 < rows.length ? at + 2 : null };
    });
    const listing = restListing({ exchange }, config);
    expect([...(await listToldGroups(config, listing))]).toEqual(["staff"]);
    const members: string[] = [];
    for await (const entry of readItemDirectory(config, readersOf("rest", config, [config.groups]), listing)) {
      if (entry.type === "group") members.push(...entry.members.map(({ id }) => id));
    }
    expect(members).toEqual(rows.map(({ member }) => member));
  });

  it.each([4, 8, 12])("goes on where others write %d items between two requests, newest first", async (written) => {
    const config = restConfigSchema.parse({ url: "https://x.example", list: "items", id: "id", pagination: "page" });
    const old = Array.from({ length: 20 }, (_, at) => ({ id: `old${at}` }));
    const imported = Array.from({ length: written }, (_, at) => ({ id: `new${at}` }));
    let requests = 0;
    const exchange = answering((_address, query) => {
      requests += 1;
      const all = requests < 3 ? old : [...imported, ...old];
      const from = (Number(query["page"]) - 1) * 4;
      return all.slice(from, from + 4);
    });
    const ids = new Set<string>();
    for await (const { items } of restListing({ exchange }, config).list(null)) {
      for (const { id } of items as { id: string }[]) ids.add(id);
    }
    expect([...ids].filter((id) => id.startsWith("old"))).toEqual(old.map(({ id }) => id));
  });
});

describe("addressOf", () => {
  it.each([
    ["https://x.example/v2", "", "https://x.example/v2"],
    ["https://x.example/v2", "items", "https://x.example/v2/items"],
    ["https://x.example/v2/", "/items?a=1", "https://x.example/v2/items?a=1"],
    ["https://x.example/v2", "?a=1", "https://x.example/v2?a=1"],
    ["https://x.example/v2", "//evil.example/x", "https://x.example/v2/evil.example/x"],
    ["https://x.example/v2", "https://files.example/1", "https://files.example/1"],
  ])("joins %j and %j", (base, path, expected) => {
    expect(addressOf(base, path)).toBe(expected);
  });
});

describe("splitAssignment", () => {
  it("splits at the first equals sign", () => {
    expect(splitAssignment("filter=a=b")).toEqual(["filter", "a=b"]);
    expect(splitAssignment("empty=")).toEqual(["empty", ""]);
  });
});
