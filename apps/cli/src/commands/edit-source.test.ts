import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { editSource, type EditSourceOptions } from "./edit-source.ts";

const kinds = [
  {
    kind: "sftp",
    title: "SFTP server",
    description: "Files.",
    config: {
      properties: {
        host: { type: "string" },
        port: { type: "integer", default: 22 },
        access: { type: "string", default: "open", labels: { open: "Everybody", server: "As the server says" } },
        accounts: { type: "string", when: { access: ["server"] } },
      },
    },
    secrets: { properties: { password: { type: "string" }, privateKey: { type: "string" } } },
    addressFields: ["host", "port"],
    signIn: null,
  },
  {
    kind: "onedrive",
    title: "OneDrive",
    description: "Files.",
    config: { properties: { tenant: { type: "string" }, access: { type: "string" }, folder: { type: "string" } } },
    secrets: { properties: { clientSecret: { type: "string" } } },
    addressFields: ["tenant"],
    signIn: { field: "access", value: "account", with: "Microsoft" },
  },
];
const papers = {
  id: "s1",
  name: "papers",
  kind: "sftp",
  config: { host: "old.example", port: 22, access: "server", accounts: "ldap.example" },
  hasSecrets: true,
  audience: "nobody",
  schedule: "@every 30m",
};
const ofAnn = { ...papers, name: "of ann", kind: "onedrive", config: { tenant: "acme", access: "account" } };
/** As `connect.checkDraft` and `connect.update` take it. */
const unchanged = { sourceId: "s1", kind: "sftp", config: papers.config, name: "papers", audience: "nobody" };
const check = {
  summary: "“papers” can be read.",
  checks: [{ capability: "read", status: "ok", message: "2 files." }],
};
const withheld = [{ name: "support", version: 2, documents: 1, people: ["a@x.org"] }];

/** A portal with one source, which keeps what it is told. */
function startPortal({ stored = papers as object, refusal = null as AnnealError | null, saved = {} as object } = {}) {
  const told: [string, unknown][] = [];
  const answers: Record<string, unknown> = {
    "connect.kinds": kinds,
    "connect.get": stored,
    "connect.list": [{ name: "papers" }, { name: "taken" }],
    "connect.checkDraft": check,
    "connect.update": { withheld: [], ...saved },
    "connect.beginSignIn": { signInId: "i1", userCode: "ABC", verificationUri: "https://x.example", intervalMs: 0 },
    "connect.pollSignIn": { status: "done", account: "ann@x.example" },
  };
  const portal: PortalClient = {
    url: "http://portal.example",
    async query<T>(procedure: string, _input: unknown, output: z.ZodType<T>): Promise<T> {
      return output.parse(answers[procedure]);
    },
    async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      told.push([procedure, input]);
      if (refusal !== null) throw refusal;
      return output.parse(answers[procedure]);
    },
    ask: async () => expect.fail("nothing is asked"),
  };
  return { portal, told };
}

async function edit({ portal }: { portal: PortalClient }, options: EditSourceOptions, input = "") {
  const said: string[] = [];
  await editSource(portal, { id: "s1" }, options, {
    env: { KEY: "s3cret" },
    say: (line) => said.push(line),
    readInput: async () => input,
  });
  return said;
}

describe("changing a source from the command line", () => {
  it("changes what is given and leaves the rest, also its credentials, and tries it first", async () => {
    const started = startPortal();
    await edit(started, { set: ["port=2222"] });
    const changed = { ...unchanged, config: { ...papers.config, port: 2222 }, schedule: "@every 30m" };
    expect(started.told).toEqual([
      ["connect.checkDraft", changed],
      ["connect.update", changed],
    ]);
  });

  it("takes new credentials in place of the stored ones, and never repeats them", async () => {
    const started = startPortal();
    const said = await edit(started, { secret: ["privateKey=env:KEY"] });
    const changed = { ...unchanged, schedule: "@every 30m", secrets: { privateKey: "s3cret" } };
    expect(started.told.map(([, input]) => input)).toEqual([changed, changed]);
    expect(said.join("\n")).not.toContain("s3cret");
  });

  it("takes a file as adding does, and options win over it", async () => {
    const started = startPortal();
    const file = { name: "books", config: { host: "new.example", port: 23 }, audience: "members", schedule: null };
    await edit(started, { config: "-", set: ["port=24"] }, JSON.stringify(file));
    expect(started.told.at(-1)).toEqual([
      "connect.update",
      {
        ...unchanged,
        name: "books",
        config: { ...papers.config, host: "new.example", port: 24 },
        audience: "members",
        schedule: null,
      },
    ]);
  });

  it("renames a source and changes its readers and schedule without trying it: it may be out of reach", async () => {
    for (const [options, change] of [
      [{ name: "books" }, { name: "books", schedule: "@every 30m" }],
      [{ audience: "members" }, { audience: "members", schedule: "@every 30m" }],
      [{ schedule: "0 * * * *" }, { schedule: "0 * * * *" }],
      [{ schedule: false }, { schedule: null }],
    ] as const) {
      const started = startPortal();
      await edit(started, options);
      expect(started.told).toEqual([["connect.update", { ...unchanged, ...change }]]);
    }
  });

  it("lets go of a setting, and of those that belong to another one's value", async () => {
    const configAfter = async (options: EditSourceOptions) => {
      const started = startPortal();
      await edit(started, options);
      return (started.told.at(-1)![1] as { config: unknown }).config;
    };
    const { access: _, accounts: __, ...rest } = papers.config;
    expect(await configAfter({ unset: ["access"] })).toEqual(rest);
    expect(await configAfter({ set: ["access=owner"] })).toEqual({ ...rest, access: "owner" });
    expect(await configAfter({ unset: ["port"], set: ["port=23"] })).toEqual({ ...papers.config, port: 23 });
    await expect(configAfter({ unset: ["prot"] })).rejects.toMatchObject({
      message: "--unset prot names no field of this kind.",
    });
  });

  it("with --dry-run tries it, says what would change without a credential, and saves nothing", async () => {
    const started = startPortal();
    // The port is 22 either way.
    const access = { unset: ["port", "accounts"], set: ["host=new.example"], secret: ["password=env:KEY"] };
    const said = await edit(started, { ...access, schedule: false, dryRun: true });
    expect(started.told.map(([procedure]) => procedure)).toEqual(["connect.checkDraft"]);
    expect(said.slice(2)).toEqual([
      "Nothing is saved. Without --dry-run “papers” (SFTP server) would change:",
      '  host: "old.example" → "new.example"',
      '  accounts: "ldap.example" → null',
      "  schedule: @every 30m → none",
      "  credentials: password, in place of all that are stored",
    ]);
    const inWords = await edit(startPortal(), { set: ["access=open"], audience: "members", dryRun: true });
    expect(inWords.slice(3)).toEqual([
      "  access: As the server says (server) → Everybody (open)",
      '  accounts: "ldap.example" → null',
      "  default audience: nobody → everyone in the workspace (members)",
    ]);
    expect((await edit(startPortal(), { set: ["port=22"], dryRun: true })).at(-1)).toBe(
      "“papers” has all of this already; nothing would change.",
    );
  });

  it("changes nothing when it cannot be read, or the portal refuses the stored credentials for another address", async () => {
    const refusal = new AnnealError("INVALID_INPUT", "The stored credentials were given for old.example:22.", {
      action: "Enter the credentials again.",
    });
    const started = startPortal({ refusal });
    await expect(edit(started, { set: ["host=new.example"] })).rejects.toBe(refusal);
    expect(started.told).toHaveLength(1);
  });

  it("refuses a name that is taken, and a change of nothing, before anything is tried", async () => {
    const started = startPortal();
    await expect(edit(started, { name: "taken" })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(edit(started, {})).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "Nothing was given to change of “papers”.",
    });
    expect(started.told).toEqual([]);
    await edit(started, { name: "papers" });
  });

  it("says what a change costs: documents of another address that are hidden, an adapter that is withheld", async () => {
    const said = await edit(startPortal({ saved: { isElsewhere: true, withheld } }), { set: ["host=new.example"] });
    expect(said.slice(-3)).toEqual([
      "✓ “papers” is changed. It counts from the next read.",
      "! It leads elsewhere, or may by its new credentials: documents without permissions of their own are hidden until they are read there.",
      expect.stringContaining("! support v2 learned from 1 document that not everyone may read now."),
    ]);
    const guarded = await edit(startPortal({ saved: { hasOtherReaders: true, withheld: [] } }), { set: ["host=db"] });
    expect(guarded.at(-1)).toBe(
      "! Other settings say now who reads documents: what was read with the old ones is hidden until it is read again.",
    );
    const others = await edit(startPortal({ saved: { hasOtherPeople: true, withheld: [] } }), { set: ["host=db"] });
    expect(others.at(-1)).toBe(
      "! Other settings say now who people are: documents that refuse somebody are hidden until they are read again.",
    );
    expect(await edit(startPortal(), { name: "books" })).toEqual([
      "✓ “books” is changed. It counts from the next read.",
    ]);
  });
});

describe("a source that reads with a person's account", () => {
  it("keeps its sign-in while it leads to the same place, and signs in anew where it leads elsewhere", async () => {
    const procedures = async (options: EditSourceOptions, stored: object = ofAnn) => {
      const started = startPortal({ stored });
      await edit(started, options);
      const [, input] = started.told.at(-1)!;
      return [started.told.map(([procedure]) => procedure), (input as { signInId?: string }).signInId];
    };
    const saved = ["connect.checkDraft", "connect.update"];
    const signedIn = ["connect.beginSignIn", "connect.pollSignIn", ...saved];
    expect(await procedures({ set: ["folder=plans"] })).toEqual([saved, undefined]);
    expect(await procedures({ set: ["tenant=other"] })).toEqual([signedIn, "i1"]);
    const withSecret = { ...ofAnn, config: { tenant: "acme", access: "application" } };
    expect(await procedures({ set: ["access=account"] }, withSecret)).toEqual([signedIn, "i1"]);
  });

  it("takes no credentials", async () => {
    const started = startPortal({ stored: ofAnn });
    await expect(edit(started, { secret: ["clientSecret=env:KEY"] })).rejects.toMatchObject({
      message: "“of ann” reads with a person's account and takes no credentials.",
    });
    expect(started.told).toEqual([]);
  });
});
