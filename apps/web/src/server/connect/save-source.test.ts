import { describe, expect, it } from "vitest";
import { openAccess } from "./save-source.ts";

const sealedSecrets = Buffer.from("sealed");
const bucket = { bucket: "papers", endpoint: "https://storage.example", pathStyle: true };
const stored = { id: "stored", kind: "s3", config: bucket, sealedSecrets };
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => (error as { code: string }).code);

describe("openAccess", () => {
  it("keeps stored credentials, bound to their source, where none are entered", async () => {
    const access = await openAccess(
      "data_scientist",
      { kind: "s3", config: { ...bucket, prefix: "a/" } },
      stored,
      "draft",
    );
    expect(access).toMatchObject({ sealedSecrets, sealedFor: "stored", config: { prefix: "a/" } });
  });

  it.each([
    ["s3", bucket, { ...bucket, endpoint: "https://elsewhere.example" }],
    ["s3", bucket, { ...bucket, endpoint: null }],
    ["postgres", { host: "db", database: "d", user: "u" }, { host: "other", database: "d", user: "u" }],
    ["postgres", { host: "db", database: "d", user: "u" }, { host: "db", port: 5433, database: "d", user: "u" }],
  ])("does not send stored credentials of %s to another server", async (kind, config, changed) => {
    const before = { id: "stored", kind, config, sealedSecrets };
    expect(await codeOf(openAccess("admin", { kind, config: changed }, before, "draft"))).toBe("INVALID_INPUT");
    const withoutAny = { ...before, sealedSecrets: null };
    const unsealed = { sealedSecrets: null };
    expect(await openAccess("admin", { kind, config: changed }, withoutAny, "draft")).toMatchObject(unsealed);
    expect(await openAccess("admin", { kind, config: changed, secrets: {} }, before, "draft")).toMatchObject(unsealed);
  });

  it("refuses settings by which nobody would see a document, unless they were so before", async () => {
    const open = (permissions: string, before?: string) =>
      openAccess(
        "admin",
        { kind: "file", config: { path: "/srv", permissions }, secrets: {} },
        before === undefined
          ? undefined
          : { id: "stored", kind: "file", config: { path: "/srv", permissions: before }, sealedSecrets: null },
        "draft",
      );
    await expect(open("posix")).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message:
        "“E-mail domain of the accounts” is missing. Without it no account is a person, and nobody would see a document.",
      action: "Enter it (on the command line: --set userEmailDomain=…), or do not read the permissions of the source.",
    });
    expect(await codeOf(open("posix", "off"))).toBe("INVALID_INPUT");
    expect(await open("posix", "posix")).toMatchObject({ config: { permissions: "posix" } });
    expect(await open("off")).toMatchObject({ config: { permissions: "off" } });
  });

  it("lets others change what an administrator opened, but not where it leads, nor with which credentials", async () => {
    const opened = { ...bucket, endpoint: "http://10.0.0.1:9000", allowPrivateHosts: true };
    const before = { id: "stored", kind: "s3", config: opened, sealedSecrets };
    const open = (config: Record<string, unknown>, secrets?: Record<string, string>) =>
      openAccess("data_scientist", { kind: "s3", config: { ...opened, ...config }, secrets }, before, "draft");
    expect(await open({ prefix: "a/" })).toMatchObject({ config: { prefix: "a/", allowPrivateHosts: true } });
    expect(await codeOf(open({ endpoint: "http://127.0.0.1:9000" }))).toBe("FORBIDDEN");
    expect(await codeOf(open({}, {}))).toBe("FORBIDDEN");
  });

  it("lets others keep an administrator's word about spaces for no more spaces than it was given for", async () => {
    const opened = {
      url: "https://acme.atlassian.net",
      email: "bot@acme.example",
      spaces: ["DOCS", "HR"],
      hiddenRestrictions: "none",
    };
    const before = { id: "stored", kind: "confluence", config: opened, sealedSecrets };
    const open = (config: Record<string, unknown>, role = "data_scientist") =>
      openAccess(role, { kind: "confluence", config: { ...opened, ...config } }, before, "draft");
    for (const kept of [{ attachments: false }, { spaces: ["HR"] }, { spaces: ["HR", "DOCS"] }])
      expect(await open(kept)).toMatchObject({ config: { ...kept, hiddenRestrictions: "none" } });
    for (const more of [{ spaces: ["DOCS", "HR", "BOARD"] }, { spaces: ["BOARD"] }, { spaces: [] }]) {
      await expect(open(more)).rejects.toMatchObject({
        code: "FORBIDDEN",
        message:
          "What an administrator set as “Restrictions of folders” is about the “Spaces” of before, not about these.",
        action: expect.stringContaining("Set it back to “There may be some”"),
        details: { field: "hiddenRestrictions" },
      });
      expect(await open({ ...more, hiddenRestrictions: "possible" })).toMatchObject({ config: more });
      expect(await open(more, "admin")).toMatchObject({ config: { ...more, hiddenRestrictions: "none" } });
    }
    expect(await codeOf(open({ url: "https://other.atlassian.net" }))).toBe("FORBIDDEN");
  });

  it("takes each whole address of an API's settings for where it leads", async () => {
    const opened = { url: "http://desk.corp/api", list: "articles", id: "id", allowPrivateHosts: true };
    const before = { id: "stored", kind: "rest", config: opened, sealedSecrets };
    const open = (config: Record<string, unknown>, role = "data_scientist") =>
      openAccess(role, { kind: "rest", config: { ...opened, ...config } }, before, "draft");
    expect(await open({ list: "articles?all=1" })).toMatchObject({ config: { allowPrivateHosts: true } });
    expect(await open({ list: "http://desk.corp/other" })).toMatchObject({ config: { allowPrivateHosts: true } });
    for (const elsewhere of [
      { list: "http://127.0.0.1:9200/_search" },
      { groups: "HTTP://10.0.0.9/groups" },
      { contentPath: "http://{host}/{id}", updatedAt: "at" },
    ]) {
      expect(await codeOf(open(elsewhere))).toBe("FORBIDDEN");
      expect(await codeOf(open(elsewhere, "admin"))).toBe("INVALID_INPUT");
    }
  });

  it("lets nobody but an administrator try a folder of the worker's machine, or a private host", async () => {
    const folder = { kind: "file", config: { path: "/etc" } };
    expect(await codeOf(openAccess("data_scientist", folder, undefined, "draft"))).toBe("FORBIDDEN");
    const site = { kind: "web", config: { url: "http://10.0.0.1/", allowPrivateHosts: true } };
    expect(await codeOf(openAccess("data_scientist", site, undefined, "draft"))).toBe("FORBIDDEN");
    const storage = { kind: "s3", config: { ...bucket, endpoint: "http://127.0.0.1:9000", allowPrivateHosts: true } };
    expect(await codeOf(openAccess("data_scientist", storage, undefined, "draft"))).toBe("FORBIDDEN");
    const access = await openAccess("admin", folder, undefined, "draft");
    expect(access).toMatchObject({ sealedFor: "draft", sealedSecrets: null });
  });
});
