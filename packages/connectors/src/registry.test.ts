import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { connectors } from "./registry.ts";

const sources = new URL("./", import.meta.url).pathname;
const docs = readFileSync(new URL("../../../docs/connectors.md", import.meta.url), "utf8");
const kinds = connectors.map(({ kind }) => kind);

/** A call of the kit with the name that it is given, which begins with the kind: the kit itself holds it to that. */
const kitCall = /describe(?:Connector|Tables)\(\s*["`]([\w-]+)/g;
const tests = globSync("**/*.test.ts", { cwd: sources })
  .map((path) => readFileSync(sources + path, "utf8"))
  .map((text) => ({ text, named: new Set([...text.matchAll(kitCall)].map(([, name]) => name)) }));
const testsOf = (kind: string) => tests.filter(({ named }) => named.has(kind)).map(({ text }) => text);

/** The rows of "What was shown against what": the kind, and "real", "emulator" or "fake". */
const shown = [...docs.matchAll(/^\|[^|]+\| `([\w-]+)` \| (\w+):/gm)].map(([, kind, by]) => ({ kind: kind!, by: by! }));

describe("the kinds of sources", () => {
  it.each(kinds)("have %s pass the conformance kit", (kind) => {
    expect(testsOf(kind)).not.toEqual([]);
  });

  it.each(connectors.filter(({ capabilities }) => capabilities.permissions).map(({ kind }) => kind))(
    "have %s keep its permissions by the kit",
    (kind) => {
      const runs = testsOf(kind).filter((text) => /describe(?:Permissions|Tables)\(/.test(text));
      expect(runs).not.toEqual([]);
    },
  );

  it("are those of the table of what they were shown against", () => {
    expect([...new Set(shown.map(({ kind }) => kind))].sort()).toEqual(kinds.toSorted());
  });

  it.each(shown)("have $kind shown against what the table says: $by", ({ kind, by }) => {
    const usesFake = testsOf(kind).some((text) => /conformance\/fake-/.test(text));
    expect(usesFake ? ["fake"] : ["real", "emulator"]).toContain(by);
    const usesEmulator = testsOf(kind).some((text) => /conformance\/start-(?:moto|azurite)/.test(text));
    expect(usesEmulator).toBe(by === "emulator");
  });
});

it("has the kit say why, wherever it skips a test", () => {
  const kit = new URL("../conformance/", import.meta.url).pathname;
  const silent = globSync("*.ts", { cwd: kit }).filter((path) => readFileSync(kit + path, "utf8").includes(".skip()"));
  expect(silent).toEqual([]);
});
