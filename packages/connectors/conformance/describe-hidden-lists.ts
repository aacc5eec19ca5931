import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { mayRead } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import type { PermissionHarness } from "./describe-permissions.ts";
import type { DebianProgram } from "./find-debian-program.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { MemoryTarget } from "./memory-target.ts";
import { testContext } from "./test-context.ts";

type HiddenLists = { hiddenAccessLists: "possible" | "none" };

/**
 * For what shows modes and not the access lists behind them.
 * @param createHarness has the files on this machine's disk, below `root`
 * @param getfacl of the package that has setfacl as well
 */
export function describeHiddenLists<Config extends HiddenLists, Secrets>(
  createHarness: () => Promise<PermissionHarness<Config, Secrets> & { root: string }>,
  getfacl: DebianProgram | null,
): void {
  it.skipIf(getfacl === null)(
    "shows to nobody what may have an access list, until it is said that there is none, and from when that is taken back",
    async () => {
      const harness = await createHarness();
      try {
        await harness.put("plan.md", "A plan.");
        await harness.setGroup("finance", ["bob"]);
        await harness.share("plan.md", [{ group: "finance" }]);
        // The mask of this list reads as the right of the owning group, which it refuses.
        const entries = "user:2001:r,group::---,mask::r,other::---";
        const args = ["-m", entries, join(harness.root, "plan.md")];
        const { status, stderr } = spawnSync(join(dirname(getfacl!.path), "setfacl"), args, { encoding: "utf8" });
        expect([stderr, status]).toEqual(["", 0]);
        const context = testContext();
        const target = new MemoryTarget();
        const readersWith = async (hiddenAccessLists: HiddenLists["hiddenAccessLists"]) => {
          const { connector, secrets } = harness;
          const request = { config: { ...harness.config, hiddenAccessLists }, secrets, context };
          const { error } = await connector.check(request.config, secrets, context);
          await target.apply(connector.read({ ...request, cursor: target.cursor, known: target.known() }));
          const directory = await MemoryDirectory.read(connector.readDirectory!(request));
          const acl = target.documents.get(harness.refOf("plan.md"))!.item.acl;
          return {
            readers: ["ann", "bob", "eve"].filter((person) => mayRead(acl, directory.heldBy(harness.emailOf(person)))),
            failed: target.failures.map(({ ref, error: report }) => [ref, report.code]),
            error: error?.code ?? null,
          };
        };
        const hidden = { readers: [], failed: [["", "INVALID_INPUT"]], error: "INVALID_INPUT" };
        expect(await readersWith("possible")).toEqual(hidden);
        // What such a word does where it is not true.
        expect(await readersWith("none")).toEqual({ readers: ["bob"], failed: [], error: null });
        expect(await readersWith("possible")).toEqual(hidden);
        expect(target.opened).toEqual([]);
      } finally {
        await harness.close();
      }
    },
  );
}
