import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * A line to a server on this machine on which all that is said comes late, as to one that is far away, and nothing waits
 * for what was said before it.
 * @param roundTripMs half of it each way
 */
export async function startFarLine(
  serverPort: number,
  roundTripMs: number,
): Promise<{ port: number; stop(): Promise<void> }> {
  const ends = new Set<Socket>();
  const pass = (from: Socket, to: Socket) =>
    // Timers of one length end in the order in which they began.
    from.on("data", (bytes) => setTimeout(() => to.write(bytes), roundTripMs / 2));
  const line = createServer({ noDelay: true }, (near) => {
    const far = createConnection({ host: "127.0.0.1", port: serverPort, noDelay: true });
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => {}).on("close", () => (ends.delete(end), near.destroy(), far.destroy()));
    }
    pass(near, far);
    pass(far, near);
  });
  line.listen(0, "127.0.0.1");
  await once(line, "listening");
  return {
    port: (line.address() as AddressInfo).port,
    async stop() {
      for (const end of ends) end.destroy();
      line.close();
      await once(line, "close");
    },
  };
}
