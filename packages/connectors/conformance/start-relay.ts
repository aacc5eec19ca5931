import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createCertificate } from "./create-certificate.ts";

/** Stands before a server and makes of it one that behaves worse. */
export type Relay = {
  port: number;
  /** From here on nothing breaks any more. */
  mend(): void;
  /** All that clients have sent, as text of one byte a character. */
  sentByClients(): string;
  /** The names that clients asked for by SNI. */
  serverNames(): string[];
  stop(): Promise<void>;
};

export type RelayOptions = {
  /** What becomes of a line that the server sends, its end included; as text of one byte a character. */
  transform?: (line: string) => string;
  /** Ends each connection once the server has sent so much. */
  breakAfterBytes?: number;
  /** Speaks TLS to clients, with a certificate of its own for this name. */
  tlsFor?: string;
};

export async function startRelay(serverPort: number, options: RelayOptions): Promise<Relay> {
  const open = new Set<Socket>();
  const names: string[] = [];
  let sentByClients = "";
  let breaks = options.breakAfterBytes !== undefined;
  const relay = (client: Socket) => {
    const server = connect(serverPort, "127.0.0.1");
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
    server.on("data", (chunk) => {
      sentBytes += chunk.length;
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
