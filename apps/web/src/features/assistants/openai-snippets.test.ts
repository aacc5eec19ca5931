import { describe, expect, it } from "vitest";
import { openAiSnippets } from "./openai-snippets.ts";

const codeOf = (name: string, facts: Parameters<typeof openAiSnippets>[0]) =>
  openAiSnippets(facts).find((snippet) => snippet.name === name)!.code;

describe("openAiSnippets", () => {
  const facts = { baseUrl: "https://anneal.example/api/v1", model: "help desk", question: `What's a "shift"?` };

  it("names the server, the model and the question in every language, and never a key", () => {
    for (const { code } of openAiSnippets(facts)) {
      expect(code).toContain(facts.baseUrl);
      expect(code).toContain(facts.model);
      expect(code).toContain("ANNEAL_API_KEY");
      expect(code).not.toContain("ank_");
    }
  });

  it("keeps a shell from reading a question's apostrophe as the end of the body", () => {
    expect(codeOf("curl", facts)).toContain(String.raw`What'\''s a \"shift\"?`);
  });
});
