import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Service } from "./progress.ts";
import { replaceFile } from "./state-lock.ts";

const recordSchema = z.object({
  portalUrl: z.string(),
  ports: z.record(z.string(), z.number()),
  services: z.array(z.object({ name: z.string(), url: z.string(), pid: z.number() })),
});
/** `stack.json`: what runs where, for people and for the next start, which keeps the ports. No secrets. */
export type StackRecord = z.infer<typeof recordSchema>;

export async function readRecord(stateDir: string): Promise<StackRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(stateDir, "stack.json"), "utf8")));
  } catch {
    // Missing or damaged: only the ports of last time are lost.
    return undefined;
  }
}

export async function writeRecord(
  stateDir: string,
  portalUrl: string,
  ports: Record<string, number>,
  services: readonly Service[],
): Promise<void> {
  const record: StackRecord = {
    portalUrl,
    ports,
    services: services.map(({ name, url, pid }) => ({ name, url: hideCredentials(url), pid })),
  };
  await replaceFile(join(stateDir, "stack.json"), `${JSON.stringify(record, undefined, 2)}\n`);
}

function hideCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}
