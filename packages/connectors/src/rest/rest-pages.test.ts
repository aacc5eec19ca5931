import { describe, expect, it } from "vitest";
import { restConfigSchema } from "./config.ts";
import { addressOf, nextLink, restListing, splitAssignment } from "./rest-pages.ts";

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
  it("ends a listing whose pages bring something new for ever", async () => {
    let requests = 0;
    const config = restConfigSchema.parse({ url: "https://x.example", list: "random", id: "id", pagination: "page" });
    const client: Parameters<typeof restListing>[0] = {
      async exchange(_address, schema) {
        requests += 1;
        const data = schema.parse([{ id: requests }]);
        return { data, status: 200, headers: new Headers(), url: "https://x.example/random" };
      },
    };
    const readAll = async () => {
      for await (const page of restListing(client, config, 5).list(null)) expect(page.items).toHaveLength(1);
    };
    await expect(readAll()).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "The list does not end: it has more than 5 pages.",
      action: expect.stringContaining("larger pages"),
    });
    expect(requests).toBe(5);
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
