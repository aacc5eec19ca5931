import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createCertificate } from "./create-certificate.ts";
import { drip } from "./drip.ts";

/** Stands before a server and makes of it one that behaves worse. */
export type Relay = {
  port: number;
  /** From here on nothing breaks any more. */
  mend(): void;
  /**
   * Counts anew what the server sends, over all connections that are made from now on, and spoils the one over which the
   * last of it would go. What the ones before still have to say is not counted, and they are left in peace.
   */
  begin(spoiling: Spoiling | null): void;
  /** Since it began. */
  sentByServer(): number;
  hasSpoilt(): boolean;
  /** All that clients have sent, as text of one byte a character. */
  sentByClients(): string;
  /** The names that clients asked for by SNI. */
  serverNames(): string[];
  stop(): Promise<void>;
};

export type Spoiling = {
  afterBytes: number;
  /** "dripping": the bytes that come at once go on slowly but steadily, and what is behind them as it comes. */
  by: "ending" | "standing still" | "dripping";
  /** Happens at the server first, while nothing comes any more. */
  act?: () => Promise<void>;
};

export type RelayOptions = {
  /** What becomes of a line that the server sends, its end included; as text of one byte a character. */
  transform?: (line: string) => string;
  /** Ends each connection once the server has sent so much. */
  breakAfterBytes?: number;
  /** Speaks TLS to clients, with a certificate of its own for this name. */
  tlsFor?: string;
};

export async function startRelay(serverPort: number, options: RelayOptions = {}): Promise<Relay> {
  const open = new Set<Socket>();
  const names: string[] = [];
  let sentByClients = "";
  let sentByServer = 0;
  let begins = 0;
  let spoiling: Spoiling | null = null;
  let hasSpoilt = false;
  let breaks = options.breakAfterBytes !== undefined;
  const relay = (client: Socket) => {
    const server = connect(serverPort, "127.0.0.1");
    const since = begins;
    let sentBytes = 0;
    let begun = "";
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        server.destroy();
      });
      socket.on("error", () => socket.destroy());
    }
    client.pipe(server);
    client.on("data", (chunk) => (sentByClients += chunk.toString("latin1")));
    let stands = false;
    server.on("data", (chunk) => {
      if (stands) return;
      sentBytes += chunk.length;
      const counts = since === begins;
      if (counts) sentByServer += chunk.length;
      if (counts && spoiling !== null && sentByServer > spoiling.afterBytes) {
        const { by, afterBytes, act } = spoiling;
        hasSpoilt = true;
        spoiling = null;
        if (by === "dripping") {
          server.pause();
          void drip(chunk, (piece) => client.write(piece)).then(() => server.resume());
          return;
        }
        const last = chunk.subarray(0, Math.max(0, chunk.length - (sentByServer - afterBytes)));
        stands = true;
        const spoil = () => {
          // What came before it arrives.
          if (by === "standing still") client.write(last);
          else client.end(last, () => client.destroy());
        };
        if (act === undefined) spoil();
        // What fails there leaves the connection as it is, and the test without what it waits for.
        else void act().then(spoil, (error: unknown) => client.destroy(new Error("the server", { cause: error })));
        return;
      }
      if (breaks && sentBytes > options.breakAfterBytes!) return client.destroy();
      const { transform } = options;
      if (transform === undefined) return client.write(chunk);
      const lines = (begun + chunk.toString("latin1")).split(/(?<=\n)/);
      begun = lines.at(-1)!.endsWith("\n") ? "" : lines.pop()!;
      client.write(Buffer.from(lines.map(transform).join(""), "latin1"));
    });
  };
  const listener = await listen(options.tlsFor, relay, names);
  return {
    port: (listener.address() as AddressInfo).port,
    mend: () => (breaks = false),
    begin(next) {
      begins += 1;
      spoiling = next;
      hasSpoilt = false;
      sentByServer = 0;
    },
    sentByServer: () => sentByServer,
    hasSpoilt: () => hasSpoilt,
    sentByClients: () => sentByClients,
    serverNames: () => names,
    async stop() {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

async function listen(name: string | undefined, relay: (socket: Socket) => void, names: string[]): Promise<Server> {
  const listener =
    name === undefined
      ? createServer(relay)
      : createTlsServer(await createCertificate(name), (socket) => {
          if (socket.servername) names.push(socket.servername);
          relay(socket);
        });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return listener;
}
