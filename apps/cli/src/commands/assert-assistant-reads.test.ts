import { expect, it } from "vitest";
import { assertAssistantReads } from "./assert-assistant-reads.ts";

const portalWith = (assistants: unknown) => ({
  query: async <T>(_: string, __: unknown, output: { parse: (value: unknown) => T }) => output.parse(assistants),
});
const limited = { name: "documents", settings: { sourceIds: ["a"] } };

it("refuses questions to an assistant that somebody limited to other sources", async () => {
  const portal = portalWith([{ ...limited, managedByRuns: false }]);
  await expect(assertAssistantReads(portal, "documents", ["a", "b"])).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining('"documents" is limited to other sources'),
  });
  await assertAssistantReads(portal, "documents", ["a"]);
  await assertAssistantReads(portal, "another", ["b"]);
});

it("lets a run widen an assistant that only runs have made", async () => {
  await assertAssistantReads(portalWith([{ ...limited, managedByRuns: true }]), "documents", ["b"]);
  await assertAssistantReads(portalWith([{ ...limited, settings: {}, managedByRuns: false }]), "documents", ["b"]);
});
