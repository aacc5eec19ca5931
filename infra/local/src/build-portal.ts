import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { repoDir } from "./environment.mjs";

export const webDir = join(repoDir, "apps/web");
export const nextProgram = join(repoDir, "node_modules/next/dist/bin/next");
const inputs = [
  "apps/web",
  "packages/connectors",
  "packages/core",
  "packages/db",
  "packages/engines",
  "packages/objects",
  "packages/sizing",
  "package-lock.json",
  "tsconfig.base.json",
];
const ignored = new Set([
  "node_modules",
  ".next",
  "e2e",
  "test-results",
  "playwright-report",
  ".turbo",
  "next-env.d.ts",
]);

/**
 * Builds the portal unless the last build had the same inputs.
 * @returns whether it was built
 * @throws AnnealError ENGINE_UNAVAILABLE with the end of the compiler's output
 */
export async function buildPortal(
  env: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<boolean> {
  const stamp = join(webDir, ".next/anneal-inputs");
  const hash = await hashInputs();
  const previous = await readFile(stamp, "utf8").catch(() => undefined);
  if (previous === hash && existsSync(join(webDir, ".next/BUILD_ID"))) return false;
  await runNextBuild(env, signal);
  await writeFile(stamp, hash);
  return true;
}

async function hashInputs(): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of await listFiles(join(repoDir, input)))
      hash
        .update(file)
        .update("\0")
        .update(await readFile(file))
        .update("\0");
  }
  return hash.digest("hex");
}

async function listFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [path];
  const kept = entries.filter(({ name }) => !ignored.has(name) && !/\.tsbuildinfo$|\.test\.tsx?$/.test(name));
  const nested = await Promise.all(
    kept.map((entry) => (entry.isDirectory() ? listFiles(join(path, entry.name)) : [join(path, entry.name)])),
  );
  return nested.flat().sort();
}

function runNextBuild(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [nextProgram, "build"], {
      cwd: webDir,
      env: { ...env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let output = "";
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-8_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", (error) =>
      reject(
        signal?.aborted
          ? new AnnealError("CANCELLED", "The portal was stopped while it was being built.", {
              action: "Start the stack again.",
            })
          : error,
      ),
    );
    child.once("close", (code) => {
      if (code === 0) return resolve();
      reject(
        new AnnealError("ENGINE_UNAVAILABLE", "The portal could not be built.", {
          action: `Correct what the compiler says: ${output.trim().split("\n").slice(-6).join(" / ")}`,
          details: { exitCode: code, output },
        }),
      );
    });
  });
}
