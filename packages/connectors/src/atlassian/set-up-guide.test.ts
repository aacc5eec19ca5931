import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { atlassianSecretSchema, confluenceConfigSchema, jiraConfigSchema } from "./config.ts";
import { explainStatus, openSignIn } from "./sign-in.ts";

const guide = readFileSync(new URL("../../../../docs/connectors/atlassian.md", import.meta.url), "utf8");
const kinds = { confluence: confluenceConfigSchema, jira: jiraConfigSchema };
const context = {
  signal: new AbortController().signal,
  limits: { requestTimeoutMs: 1, documentBytes: 1 },
};

describe("the guide to Confluence and Jira", () => {
  const commands = guide.match(/connect add \w+ (?:[^\n]*\\\n)*[^\n]*/g) ?? [];

  it("has commands whose every setting and secret there is, which go together", async () => {
    expect(commands).toHaveLength(4);
    for (const command of commands) {
      const [, kind] = /connect add (\w+)/.exec(command) ?? [];
      const schema = kinds[kind as keyof typeof kinds];
      const entered = (option: string) =>
        Object.fromEntries(
          [...command.matchAll(new RegExp(`--${option} (\\w+)=(\\S+)`, "g"))].map(([, k, v]) => [k, v]),
        );
      const { spaces, projects, allowPrivateHosts, ...set } = entered("set");
      const listed = {
        ...(spaces ? { spaces: spaces.split(",") } : {}),
        ...(projects ? { projects: [projects] } : {}),
      };
      const config = schema.strict().parse({ ...set, ...listed, allowPrivateHosts: allowPrivateHosts === "true" });
      const secrets = atlassianSecretSchema.strict().parse(entered("secret"));
      await openSignIn("Jira", config, secrets, context).close();
    }
  });

  it("names every way to sign in that the form has", () => {
    for (const way of confluenceConfigSchema.shape.auth.unwrap().options.filter((each) => each !== "api-token")) {
      expect(guide, way).toContain(`auth=${way}`);
    }
  });

  it("has every place that a refusal sends somebody to", () => {
    const words = guide.replaceAll(/\s+/g, " ");
    for (const auth of ["api-token", "service-account", "bearer", "basic"] as const) {
      for (const deployment of ["cloud", "data-center"] as const) {
        const config = confluenceConfigSchema.parse({ url: "https://wiki.example.com", deployment, auth });
        const { action } = explainStatus("Confluence", config, 401, "wiki.example.com")!;
        const places = action.match(
          /\w+\.atlassian\.com|[A-Z][a-z]+ (?:[A-Z][a-z]+ ?)+|Service accounts|service-account/g,
        );
        for (const place of places ?? []) expect(words, action).toContain(place.trim());
      }
    }
  });
});
