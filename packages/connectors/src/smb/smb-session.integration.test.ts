import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { testContext } from "../../conformance/test-context.ts";
import { testPython } from "../../conformance/test-python.ts";
import { openSmb } from "./smb-session.ts";

const target = { host: "127.0.0.1", port: 445, share: "docs", user: "ann", encryption: true, allowPrivateHosts: true };

describe("a session with the program that speaks SMB", () => {
  it.each([
    ["is killed in the middle of an answer", `printf '{"id":2,"ok":true,"handle":1'; kill -9 $$`],
    ["answers with something else than JSON", `echo 'Segmentation fault'; exec sleep 20`],
    ["answers with JSON that is no answer", `echo '[]'; exec sleep 20`],
  ])("fails what is asked, and what is asked afterwards, when it %s", async (_, end) => {
    const folder = await mkdtemp(join(tmpdir(), "anneal-smb-session-"));
    const python = join(folder, "python");
    try {
      await writeFile(
        python,
        `#!/bin/sh\nread connect\necho '{"id":1,"ok":true,"samba":false}'\nread first\n${end}\n`,
        {
          mode: 0o755,
        },
      );
      const session = await openSmb(target, "password", testContext({ python: { ...testPython, python } }));
      const broken = { code: "SOURCE_UNREACHABLE", details: { status: "BROKEN" }, retryable: true };
      const list = { op: "list" as const, path: "" };
      const both = [session.request(list, z.unknown(), null), session.request(list, z.unknown(), null)];
      for (const asked of await Promise.allSettled(both)) {
        expect(asked).toMatchObject({ status: "rejected", reason: broken });
      }
      await expect(session.request(list, z.unknown(), null)).rejects.toMatchObject(broken);
      expect(session.lost()).toMatchObject(broken);
      session.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("ends with a worker that was killed, also while it waits for a server", async () => {
    const folder = await mkdtemp(join(tmpdir(), "anneal-smb-session-"));
    const python = join(folder, "python");
    try {
      await writeFile(python, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
      await expectNoOrphan(
        `const { openSmb } = await import(${JSON.stringify(new URL("./smb-session.ts", import.meta.url))});
         await openSmb(${JSON.stringify(target)}, "password", {
           signal: new AbortController().signal,
           limits: { requestTimeoutMs: 600_000 },
           python: { python: ${JSON.stringify(python)} },
         });`,
        "sleep 600",
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
