import { expect, it } from "vitest";
import { findConfigProblems } from "./describe-kinds.ts";
import { bringsReaders, mayLackReaders, partsWithOtherReaders } from "./reader-settings.ts";

it("knows which sources bring their documents' readers with the settings that they have", () => {
  const table = (owner: string | null) => ({ host: "db", database: "d", user: "u", tables: [{ name: "t", owner }] });
  const list = (allow: string | null) => ({
    url: "https://api.example",
    list: "/",
    id: "id",
    content: ["text"],
    allow,
  });
  const mail = (readers: string[]) => ({ host: "mail.example", user: "u", readers });
  for (const [kind, config, brings] of [
    ["web", { url: "https://www.example" }, false],
    ["file", { path: "/srv", permissions: "off" }, false],
    ["file", { path: "/srv", permissions: "posix", userEmailDomain: "example.com" }, true],
    ["postgres", table(null), false],
    ["postgres", table("owner"), true],
    ["rest", list(null), false],
    ["rest", list("readers"), true],
    ["imap", mail([]), false],
    ["imap", mail(["ann@example.com"]), true],
    ["sharepoint", {}, true],
    ["of another release", {}, true],
  ] as const) {
    if (kind !== "sharepoint" && kind !== "of another release") {
      expect(findConfigProblems(kind, config), kind).toEqual([]);
    }
    expect(bringsReaders(kind, config), `${kind} ${JSON.stringify(config)}`).toBe(brings);
    // Of a database there may be other tables.
    const lacks = !brings || kind === "postgres";
    expect(mayLackReaders(kind, config), `${kind} ${JSON.stringify(config)}`).toBe(lacks);
  }
});

it("tells of which documents other settings say who reads them", () => {
  const places = { host: "db", database: "d", user: "u" };
  const tables = (...some: [name: string, owner: string | null][]) => ({
    ...places,
    tables: some.map(([name, owner]) => ({ name, owner })),
  });
  const one = tables(["a", "x"], ["sales.b", null]);
  expect(partsWithOtherReaders("mysql", one, tables(["a", null]))).toEqual([""]);
  expect(partsWithOtherReaders("mysql", tables(["a", "x"], ["sales.b", "y"]), one)).toEqual(["sales.b/", "b/"]);
  expect(partsWithOtherReaders("mysql", one, one)).toEqual([]);
  expect(partsWithOtherReaders("mysql", tables(["a", "other"], ["sales.b", null]), one)).toEqual(["a/"]);
  expect(partsWithOtherReaders("mysql", tables(["a", null]), one)).toEqual(["a/"]);
  expect(partsWithOtherReaders("mysql", tables(["sales.b", null]), one)).toEqual(["a/"]);
  expect(
    partsWithOtherReaders("mysql", tables(["b", "y"], ["sales.b", "x"]), tables(["sales.b", "x"], ["b", "y"])),
  ).toEqual([]);
  expect(partsWithOtherReaders("mysql", tables(["sales.b", "x"], ["b", "y"]), tables(["sales.b", "x"]))).toEqual([
    "b/",
  ]);
  const query = { name: "calls.open", sql: "select 1", owner: "x" };
  const queried = (sql: string) => ({ ...one, queries: [{ ...query, sql }] });
  expect(partsWithOtherReaders("mssql", queried("select 1"), one)).toEqual(["calls.open/", "open/"]);
  // Its owner column is what the query makes of it.
  expect(partsWithOtherReaders("mssql", queried("select 2"), queried("select 1"))).toEqual(["calls.open/", "open/"]);
  const collections = (owner: string, ...names: string[]) => ({
    ...places,
    collections: names.map((name) => ({ name, owner })),
  });
  expect(partsWithOtherReaders("mongodb", collections("o", "a", "b c"), collections("o", "a"))).toEqual(["b%20c/"]);
  expect(partsWithOtherReaders("mongodb", collections("p", "a.b"), collections("o", "a.b"))).toEqual(["a.b/"]);
  const list = { url: "https://api.example", list: "/", id: "id", allow: "readers", updatedAt: "at" };
  for (const other of [
    { allow: "team" },
    { deny: "except" },
    { anyone: "all" },
    { groupMembers: "people" },
    { allow: null },
  ])
    expect(partsWithOtherReaders("rest", { ...list, ...other }, list), JSON.stringify(other)).toEqual([""]);
  expect(partsWithOtherReaders("rest", { ...list, title: "{name}", since: "since" }, list)).toEqual([]);
  const folder = (permissions: string, hiddenAccessLists = "possible") => ({
    path: "/",
    permissions,
    hiddenAccessLists,
  });
  expect(partsWithOtherReaders("file", folder("posix"), folder("off"))).toEqual([""]);
  expect(partsWithOtherReaders("file", folder("off"), folder("posix"))).toEqual([""]);
  // The next listing tells readers that are others of what is held, and nothing is to be fetched again.
  expect(partsWithOtherReaders("sharepoint", { linkSharing: "nobody" }, {})).toEqual([]);
  expect(partsWithOtherReaders("file", folder("posix"), { of: "another release" })).toEqual([""]);
});

it("tells of all documents where somebody's word about their readers is taken back, and of none where it is given", () => {
  const rights = { permissions: "posix", userEmailDomain: "example.com" };
  const server = { host: "files.example", user: "u", path: "/srv", ...rights };
  for (const [kind, settings, word] of [
    ["confluence", { url: "https://a.example" }, { hiddenRestrictions: "none" }],
    ["file", { path: "/srv", ...rights }, { hiddenAccessLists: "none" }],
    ["sftp", server, { hiddenAccessLists: "none" }],
  ] as const) {
    const onWord = { ...settings, ...word };
    expect(findConfigProblems(kind, onWord), kind).toEqual([]);
    expect(partsWithOtherReaders(kind, settings, onWord), kind).toEqual([""]);
    expect(partsWithOtherReaders(kind, onWord, settings), kind).toEqual([]);
    expect(partsWithOtherReaders(kind, onWord, onWord), kind).toEqual([]);
    expect(partsWithOtherReaders(kind, settings, { of: "another release" }), kind).toEqual([""]);
  }
  // Where no permissions are read nobody relied on it.
  const unread = { path: "/srv", permissions: "off" };
  expect(partsWithOtherReaders("file", unread, { ...unread, hiddenAccessLists: "none" })).toEqual([]);
});
