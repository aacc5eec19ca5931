import { createServer, request as send, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { RemoteTrouble } from "./remote-trouble.ts";

/** Stands before a real HTTP server, which itself neither refuses nor breaks off. */
export type HttpRelay = { origin: string; stop(): Promise<void> };

/** Of one connection, not of the answer. */
const ofTheHop = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** @param rewrite what becomes of an answer in XML, for what a server cannot be told to say */
export async function startHttpRelay(
  target: string,
  trouble: RemoteTrouble,
  rewrite: (xml: string) => string = (xml) => xml,
): Promise<HttpRelay> {
  const { hostname, port } = new URL(target);
  const server = createServer(
    trouble.before((incoming, response) => {
      const { method, url: path, headers } = incoming;
      const outgoing = send({ hostname, port, method, path, headers }, (answer) => {
        const isXml = answer.headers["content-type"]?.includes("xml") ?? false;
        if (isXml && method !== "HEAD") {
          text(answer).then(
            (xml) => {
              const bytes = Buffer.from(rewrite(xml));
              const passed = { ...headersOf(answer), "content-length": bytes.byteLength };
              response.writeHead(answer.statusCode ?? 502, passed).end(bytes);
            },
            () => response.destroy(),
          );
          return;
        }
        response.writeHead(answer.statusCode ?? 502, headersOf(answer));
        answer.on("error", () => response.destroy());
        answer.pipe(response);
      });
      outgoing.on("error", () => response.destroy());
      incoming.pipe(outgoing);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function headersOf({ headers }: IncomingMessage): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || ofTheHop.has(name) ? [] : [[name, value] as const],
    ),
  );
}
