import { readFile } from "node:fs/promises";
import { readRecord } from "@anneal/local-stack/stack-record";

/**
 * The settings of a running stack's portal, which stand in no file: read from its process. Only on Linux.
 * @throws Error when no portal runs there
 */
export async function readPortalEnvironment(stateDir: string): Promise<Record<string, string>> {
  const portal = (await readRecord(stateDir))?.services.find(({ name }) => name === "web");
  if (!portal) throw new Error(`No portal runs in ${stateDir}.`);
  const environment = await readFile(`/proc/${portal.pid}/environ`, "utf8");
  const entries = environment.split("\0").map((line): [string, string] => {
    const cut = line.indexOf("=");
    return [line.slice(0, cut), line.slice(cut + 1)];
  });
  return Object.fromEntries(entries.filter(([name]) => name !== ""));
}
