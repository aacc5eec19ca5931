import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalEvent, genesisHash, type AuditEvent } from "@anneal/core/audit/chain";
import { verifyScript } from "./verify-script.ts";

const run = promisify(execFile);
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-audit-"));
  await writeFile(join(folder, "verify-audit.mjs"), verifyScript);
});
afterAll(() => rm(folder, { recursive: true }));

function chain(length: number) {
  let prevHash = genesisHash;
  return Array.from({ length }, (_, index) => {
    const event: AuditEvent = {
      at: new Date(1_700_000_000_000 + index).toISOString(),
      workspaceId: "w",
      actor: "ada@example.com",
      action: "key.create",
      subject: `key:${index} "ü"`,
      details: { z: [1, { b: null, a: "x" }], a: { nested: true } },
      allowed: true,
      prevHash,
    };
    prevHash = createHash("sha256").update(canonicalEvent(event)).digest("hex");
    return { ...event, hash: prevHash };
  });
}

async function verify(events: unknown[]): Promise<{ code: number; said: string }> {
  const file = join(folder, "export.jsonl");
  await writeFile(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  try {
    return { code: 0, said: (await run(process.execPath, [join(folder, "verify-audit.mjs"), file])).stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, said: stdout };
  }
}

describe("verifyScript", () => {
  it("accepts a chain that our own rules made, and says its last hash", async () => {
    const events = chain(3);
    const { code, said } = await verify(events);
    expect(code).toBe(0);
    expect(said).toContain(`WHOLE: 3 events, last hash ${events[2]!.hash}`);
  });

  const [first, second, third] = chain(3);
  it.each([
    ["changed", [first, { ...second!, details: { z: [2] } }, third]],
    ["removed", [first, third]],
    ["reordered", [first, third, second]],
  ])("names the line from which a chain is %s", async (_, events) => {
    expect(await verify(events)).toEqual({ code: 1, said: expect.stringContaining("BROKEN at line 2") });
  });
});
