import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";

const retryMs = 20;
const boundMs = 60_000;

/**
 * Lets one at a time change what stands in a folder, over all processes of this machine. The lock is a socket in Linux'
 * abstract namespace: the kernel takes it back however its holder ends, so there is no stale lock to find out about.
 * @throws AnnealError CONFLICT (retryable) when another one holds it for a minute
 */
export async function withStateLock<Result>(stateDir: string, change: () => Promise<Result>): Promise<Result> {
  const digest = createHash("sha256")
    .update(await realpath(stateDir))
    .digest("hex")
    .slice(0, 32);
  const deadline = Date.now() + boundMs;
  let holder = await tryListen(`\0anneal-${digest}`);
  while (!holder) {
    if (Date.now() > deadline) {
      throw new AnnealError("CONFLICT", "Another worker is changing what runs on this machine.", {
        action: "It is tried again; end the other worker if it hangs.",
        retryable: true,
      });
    }
    await sleep(retryMs);
    holder = await tryListen(`\0anneal-${digest}`);
  }
  try {
    return await change();
  } finally {
    const held = holder;
    await new Promise<void>((resolve) => held.close(() => resolve()));
  }
}

/** @returns null when the name is taken */
function tryListen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(null) : reject(error),
    );
    server.listen({ path, exclusive: true }, () => resolve(server));
  });
}
