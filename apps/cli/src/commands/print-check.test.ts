import type { CapabilityCheck } from "@anneal/core/connect/capability-check";
import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { checkAndPrint } from "./print-check.ts";

const checks: CapabilityCheck[] = [
  { capability: "read", status: "ok", message: '"Documents" can be read.' },
  { capability: "changes", status: "warning", message: "Sharing shows late.", action: "Grant Sites.FullControl.All." },
  { capability: "permissions", status: "missing", message: "Not shown.", action: "Grant Sites.Read.All." },
  { capability: "people", status: "missing", message: "Users cannot be listed.", action: "Grant User.Read.All." },
];
const lines = [
  '✓ Content: "Documents" can be read.',
  "! Changes and deletions: Sharing shows late. Grant Sites.FullControl.All.",
  "✗ Permissions: Not shown. Grant Sites.Read.All.",
  "✗ People and groups: Users cannot be listed. Grant User.Read.All.",
];

/** A portal with one answer. */
function tried(answer: object | AnnealError) {
  const portal: Pick<PortalClient, "mutate"> = {
    async mutate<T>(_: string, __: unknown, output: z.ZodType<T>): Promise<T> {
      if (answer instanceof AnnealError) throw answer;
      return output.parse(answer);
    },
  };
  const printed: string[] = [];
  const ended = checkAndPrint(portal, "connect.check", { sourceId: "s" }, (line) => printed.push(line));
  return { printed, ended };
}

describe("checkAndPrint", () => {
  it("prints each capability of a source that answers", async () => {
    const { printed, ended } = tried({ summary: "It can be read.", checks });
    await ended;
    expect(printed).toEqual(["✓ It can be read.", ...lines]);
  });

  it("prints every error of one that does not, then fails with the first, which says itself what to do", async () => {
    const [message, action] = ["Users cannot be listed.", "Grant User.Read.All."];
    const refused = new AnnealError("SOURCE_FORBIDDEN", message, { action, details: { checks } });
    const { printed, ended } = tried(refused);
    await expect(ended).rejects.toBe(refused);
    expect(printed).toEqual([...lines.slice(0, 3), "✗ People and groups: Users cannot be listed."]);
  });

  it("understands a portal that knows warnings only", async () => {
    const { printed, ended } = tried({ summary: "It can be read.", warnings: ["It is slow."] });
    await ended;
    expect(printed).toEqual(["✓ It can be read.", "! Source: It is slow."]);
  });

  it("prints no list where the error says it all", async () => {
    const gone = new AnnealError("SOURCE_NOT_FOUND", "It does not exist.", { action: "Check the path." });
    const { printed, ended } = tried(gone);
    await expect(ended).rejects.toBe(gone);
    expect(printed).toEqual([]);
  });
});
