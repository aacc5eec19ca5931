import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { RemoteTrouble } from "./remote-trouble.ts";

export type ApiRequest = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
};

export type ApiAnswer = {
  status?: number;
  headers?: Record<string, string>;
  /** Text and bytes as they are, everything else as JSON. */
  body?: unknown;
  /** The connection is cut after so many bytes of the body. */
  breakAfterBytes?: number;
  /** The body goes out in chunks, without a Content-Length. */
  undeclared?: boolean;
};

export type TestApi = {
  origin: string;
  /** Every request that came, in order. */
  requests: ApiRequest[];
  stop(): Promise<void>;
};

/** A server for fakes: it listens on a port of its own and answers with what a function says. */
export async function startApi(
  answer: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>,
  trouble?: RemoteTrouble,
): Promise<TestApi> {
  const requests: ApiRequest[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://localhost");
    const request: ApiRequest = {
      method: incoming.method ?? "GET",
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    send(response, await answer(request));
  };
  const listener: RequestListener = (incoming, response) => {
    handle(incoming, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  };
  const server = createServer(trouble?.before(listener) ?? listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function send(response: ServerResponse, { status = 200, headers, body, breakAfterBytes, undeclared }: ApiAnswer): void {
  const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  const bytes = Buffer.from(isRaw ? (body ?? "") : JSON.stringify(body));
  response.writeHead(status, {
    "content-type": isRaw ? "text/plain; charset=utf-8" : "application/json",
    ...(undeclared ? {} : { "content-length": bytes.byteLength }),
    ...headers,
  });
  if (breakAfterBytes === undefined) {
    response.end(bytes);
    return;
  }
  response.write(bytes.subarray(0, breakAfterBytes), () => response.destroy());
}
