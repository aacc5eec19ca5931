import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { AnnealError } from "@anneal/core/errors";

const host = "127.0.0.1";
/** Above the ports that most services are known by. */
const lowestPort = 20_000;

/**
 * A port that someone asked for by name.
 * @throws AnnealError PORT_TAKEN
 */
export async function claimPort(port: number, setting: string): Promise<number> {
  if (await isFree(port)) return port;
  throw new AnnealError("PORT_TAKEN", `Port ${port} is already used by another program.`, {
    action: `Choose another with ${setting}, for example ${setting}=${await findFreePort()}, or stop the program that uses it.`,
    details: { port, setting },
  });
}

/**
 * The port of last time when it is free, so that addresses stay the same over restarts; otherwise any free one.
 * @param chosen ports that are promised to others and not yet in use
 */
export async function choosePort(
  previous: number | undefined,
  chosen: ReadonlySet<number> = new Set(),
): Promise<number> {
  if (previous !== undefined && !chosen.has(previous) && (await isFree(previous))) return previous;
  for (;;) {
    const port = await findFreePort();
    if (!chosen.has(port)) return port;
  }
}

export async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

/**
 * A free port that the system gives to nobody by itself: from below the range of outgoing connections, where one of
 * them could take a port between its choice and its use.
 */
async function findFreePort(): Promise<number> {
  const end = await firstEphemeralPort();
  for (let tries = 0; end > lowestPort && tries < 64; tries++) {
    const port = await listenOnce(randomInt(lowestPort, end));
    if (port !== undefined) return port;
  }
  const port = await listenOnce(0);
  if (port === undefined) throw new Error("The system has no free port.");
  return port;
}

async function firstEphemeralPort(): Promise<number> {
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "32768");
  return Number.parseInt(range, 10);
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : undefined));
    });
  });
}
