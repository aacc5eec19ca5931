import { describe, expect, it } from "vitest";
import { describeConnector } from "../conformance/describe-connector.ts";
import { describePermissions, type PermissionHarness, type Who } from "../conformance/describe-permissions.ts";
import { longPath } from "../conformance/long-names.ts";
import { testContext } from "../conformance/test-context.ts";
import { templateSourceConfigSchema, type TemplateSourceConfig, type TemplateSourceSecrets } from "./config.ts";
import { startFakeTemplateSource } from "./fake-template-source.ts";
import { templateSourceConnector } from "./template-source-connector.ts";

/** The kit's hands on the source: a fresh one for each test. Leave out what the service cannot do. */
async function createHarness(): Promise<PermissionHarness<TemplateSourceConfig, TemplateSourceSecrets>> {
  const source = await startFakeTemplateSource();
  const requireDocument = (id: string) => {
    const found = source.documents.get(id);
    if (found === undefined) throw new Error(`there is no document "${id}"`);
    return found;
  };
  return {
    connector: templateSourceConnector,
    config: templateSourceConfigSchema.parse({ url: source.origin, allowPrivateHosts: true }),
    secrets: { token: source.token },
    refOf: (name) => name,
    put: async (name, text) => source.put(name, text),
    remove: async (name) => void source.documents.delete(name),
    async move(from, to) {
      source.put(to, requireDocument(from).text);
      source.documents.delete(from);
    },
    async breakItem(name) {
      source.locked.add(name);
      return async () => void source.locked.delete(name);
    },
    async vanish() {
      source.gone = true;
      return async () => void (source.gone = false);
    },
    setClock: async (aheadMs) => void (source.aheadMs = aheadMs),
    // What its documentation allows in a name, and how long one may be.
    names: { controls: "\t\n\u0001\u007f", longest: [longPath(4096)] },
    // Whatever its answers meet on their way: it asks to wait, refuses, breaks off, stands still.
    remote: {
      trouble: source.trouble,
      aboutAll: /\/documents\?|\/documents$/,
      tellsReaders: { none: "the list of documents tells their readers" },
      tellsMembers: { none: "one list tells the groups with their members" },
    },
    close: () => source.stop(),

    emailOf: (person) => `${person}@acme.example`,
    async setGroup(group, members) {
      source.groups.set(
        group,
        members.map((member) => (member.startsWith("group:") ? member : `${member}@acme.example`)),
      );
    },
    async share(name, allow) {
      requireDocument(name).readers = allow.map(readerOf);
    },
    async breakPermissions(name) {
      const document = requireDocument(name);
      const { readers } = document;
      document.readers = undefined;
      return async () => void (document.readers = readers);
    },
    supports: { groups: true, nestedGroups: true, deny: false, domain: false, anyone: false },
  };
}

function readerOf(who: Who): string {
  if (who === "anyone" || "domain" in who) throw new Error("the service cannot share like that");
  return "user" in who ? `${who.user}@acme.example` : `group:${who.group}`;
}

describeConnector("template-source", createHarness, "http");
describePermissions("template-source", createHarness, createHarness);

/** What is special about the service is tested beside the kit. */
describe("Template source", () => {
  const context = testContext();

  it("says in check() what it holds, and that a token is refused, without repeating it", async () => {
    const source = await startFakeTemplateSource();
    try {
      source.put("plan.md", "A plan.");
      const config = templateSourceConfigSchema.parse({ url: source.origin, allowPrivateHosts: true });
      const check = (token: string) => templateSourceConnector.check(config, { token }, context);
      expect((await check(source.token)).summary).toContain("holds 1 document: plan.md");
      const refused = await check("wrong-token");
      expect(refused.error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      expect(JSON.stringify(refused)).not.toContain("wrong-token");
    } finally {
      await source.stop();
    }
  });
});
