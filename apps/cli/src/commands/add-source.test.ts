import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { addSource } from "./add-source.ts";
import type { SourceOptions } from "./source-options.ts";

const kinds = [
  {
    kind: "postgres",
    title: "PostgreSQL",
    description: "Rows.",
    config: { properties: { host: { type: "string" }, port: { type: "integer" } } },
    secrets: { properties: { password: { type: "string" } } },
    signIn: null,
  },
  {
    kind: "imap",
    title: "E-mail (IMAP)",
    description: "Messages.",
    config: { properties: { host: { type: "string" } } },
    secrets: { properties: {} },
    signIn: null,
  },
];
const check = {
  summary: "“shop” can be read and holds 2 tables.",
  checks: [{ capability: "read", status: "ok", message: "2 tables." }],
};

/** A portal with one kind and one source, which keeps what it is told. */
function startPortal(checked: object | AnnealError = check, created = {}): PortalClient & { told: unknown[] } {
  const told: unknown[] = [];
  return {
    url: "http://portal.example",
    told,
    async query<T>(procedure: string, _input: unknown, output: z.ZodType<T>): Promise<T> {
      return output.parse(procedure === "connect.kinds" ? kinds : [{ name: "taken" }]);
    },
    async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      told.push([procedure, input]);
      if (checked instanceof AnnealError) throw checked;
      return output.parse(procedure === "connect.checkDraft" ? checked : { sourceId: "s1", ...created });
    },
    ask: async () => expect.fail("nothing is asked"),
  };
}

async function add(portal: PortalClient, options: SourceOptions, input = "", kind = "postgres") {
  const said: string[] = [];
  const surroundings = {
    env: { DB_PASSWORD: "from-env", EMPTY: "" },
    say: (line: string) => said.push(line),
    readInput: async () => input,
  };
  await addSource(portal, kind, { set: [], secret: [], ...options }, surroundings);
  return said;
}

const file = JSON.stringify({
  name: "shop",
  config: { host: "db.example", port: 1 },
  secrets: { password: "from-file" },
  audience: "nobody",
  schedule: "@every 30m",
});

describe("adding a source from the command line", () => {
  it("takes all of it from a file on the standard input", async () => {
    const portal = startPortal();
    const said = await add(portal, { config: "-" }, file);
    const access = {
      kind: "postgres",
      config: { host: "db.example", port: 1 },
      secrets: { password: "from-file" },
    };
    expect(portal.told).toEqual([
      // With what is saved beside it: an audience or a schedule that saving would refuse is refused before the try.
      ["connect.checkDraft", { ...access, name: "shop", audience: "nobody", schedule: "@every 30m" }],
      ["connect.create", { ...access, name: "shop", audience: "nobody", schedule: "@every 30m" }],
    ]);
    expect(said.join("\n")).not.toContain("from-file");
  });

  it("lets options win over the file", async () => {
    const portal = startPortal();
    const options = { set: ["port=5433"], secret: ["password=env:DB_PASSWORD"], audience: "members" } as const;
    await add(
      portal,
      { ...options, set: [...options.set], secret: [...options.secret], config: "-", name: "mine" },
      file,
    );
    expect(portal.told.at(-1)).toEqual([
      "connect.create",
      {
        kind: "postgres",
        config: { host: "db.example", port: 5433 },
        secrets: { password: "from-env" },
        name: "mine",
        audience: "members",
        schedule: "@every 30m",
      },
    ]);
  });

  it("with --dry-run tries it, says what would be added without a credential, and saves nothing", async () => {
    const portal = startPortal();
    const said = await add(portal, { config: "-", dryRun: true }, file);
    expect(portal.told.map((call) => (call as unknown[])[0])).toEqual(["connect.checkDraft"]);
    expect(said).toEqual([
      `✓ ${check.summary}`,
      "✓ Content: 2 tables.",
      "Nothing is saved. Without --dry-run this would be added as “shop” (PostgreSQL):",
      '  host: "db.example"',
      "  port: 1",
      "  credentials: password",
      "  default audience: nobody",
      "  schedule: @every 30m",
    ]);
  });

  it("adds nothing, and promises nothing, when it cannot be read", async () => {
    const refused = new AnnealError("SOURCE_FORBIDDEN", "The password is wrong.", { action: "Enter another." });
    for (const dryRun of [true, false]) {
      const portal = startPortal(refused);
      await expect(add(portal, { config: "-", dryRun }, file)).rejects.toBe(refused);
      expect(portal.told).toHaveLength(1);
    }
  });

  it("shows documents without permissions to nobody unless it is told otherwise, and says so", async () => {
    const audienceOf = (portal: ReturnType<typeof startPortal>) =>
      (portal.told.at(-1) as [string, { audience: string }])[1].audience;
    const portal = startPortal();
    const said = await add(portal, { set: ["host=imap.example"] }, "", "imap");
    expect(audienceOf(portal)).toBe("nobody");
    expect(said.join("\n")).toContain("shown to nobody; --audience members");
    expect(
      (await add(portal, { set: ["host=imap.example"], audience: "members" }, "", "imap")).join("\n"),
    ).not.toContain("nobody");
    expect(audienceOf(portal)).toBe("members");
  });

  it("says nothing of documents without permissions where all have them with these settings", async () => {
    const portal = startPortal(check, { mayLackReaders: false });
    expect((await add(portal, { set: ["host=imap.example"] }, "", "imap")).join("\n")).not.toContain("nobody");
  });

  it("refuses a name that is taken before anything is tried", async () => {
    const portal = startPortal();
    await expect(add(portal, { config: "-", name: "taken", dryRun: true }, file)).rejects.toMatchObject({
      code: "CONFLICT",
    });
    expect(portal.told).toEqual([]);
  });

  it.each([
    ["env:NOPE", "The credential password cannot be read: the variable NOPE is not set."],
    ["env:EMPTY", "The credential password cannot be read: the variable EMPTY is empty."],
    // What is no variable's name may be the credential itself.
    ["env:s3cret!", "The credential password cannot be read."],
    ["s3cret", "The credential password cannot be read."],
  ])("says why it has no credential from %s", async (place, message) => {
    const portal = startPortal();
    await expect(add(portal, { secret: [`password=${place}`] })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message,
    });
    expect(portal.told).toEqual([]);
  });
});
