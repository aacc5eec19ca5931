import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { systemClock, type Clock } from "../src/clock.ts";
import { drip } from "./drip.ts";

export type Refusal = { status: number; headers?: Record<string, string>; body: unknown };

/** How a service refuses, in its own words. */
export type Refusals = {
  /** It wants to be left alone for a time. */
  busy(waitSeconds: number): Refusal;
  /** It does not accept these credentials any more; null for a request that carries none. */
  credentials(request: IncomingMessage): Refusal | null;
};

/** A refusal of whatever is signed by a header. */
export function refuseSigned(refusal: Refusal): Refusals["credentials"] {
  return ({ headers }) => (headers.authorization === undefined ? null : refusal);
}

/** What gateways say, which know nothing of the service's own words. */
const gatewayTimeout: Refusal = {
  status: 504,
  headers: { "content-type": "text/html" },
  body: "<html><head><title>504 Gateway Time-out</title></head></html>",
};

/** Requests are counted from 0. */
export type Trouble =
  | { kind: "busy"; from: number; count: number; waitSeconds: number }
  | { kind: "credentials"; from: number }
  /** The answer to this one ends in its middle. */
  | { kind: "cut"; at: number }
  /** A gateway before the service gives up on every request that is this one, or on all from one on. */
  | { kind: "given up"; on: string | { from: number } }
  /** Something happens at the service before it answers this one. */
  | { kind: "event"; at: number; act: () => void }
  /** Every answer that holds this text ends, or stands still for ever, before it is out. */
  | { kind: "broken" | "stuck"; text: string }
  /** The answers to these, and every one that holds this text, come slowly but steadily. */
  | { kind: "slow"; at: readonly number[]; text: string };

/** Stands before a service's answers and spoils some of them, as networks and overloaded services do. */
export class RemoteTrouble {
  /** Requests that came again before the time that they were told to wait was over. */
  readonly hasty: string[] = [];
  readonly #refusals: Refusals;
  #trouble: Trouble | null = null;
  #clock: Clock = systemClock;
  #asked = 0;
  #refused = 0;
  #slowed = 0;
  readonly #waits = new Map<string, number>();
  readonly #places = new Set<string>();

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
  }

  /** Counts anew; null: from here on nothing is spoilt. @param clock the one that waits are slept by */
  begin(trouble: Trouble | null, clock: Clock = systemClock): void {
    this.#trouble = trouble;
    this.#clock = clock;
    this.#asked = 0;
    this.#refused = 0;
    this.#slowed = 0;
    this.#waits.clear();
    this.#places.clear();
    this.hasty.length = 0;
  }

  /** Requests since it began. */
  get asked(): number {
    return this.#asked;
  }

  /** Which they were, by method, address and body, each once. */
  get places(): string[] {
    return [...this.#places];
  }

  /** How many of them were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** How many answers came slowly. */
  get slowed(): number {
    return this.#slowed;
  }

  before(handle: RequestListener): RequestListener {
    return (request, response) => {
      const isSent = request.headers["content-length"] !== undefined && request.headers["content-length"] !== "0";
      if (!isSent) return this.#answer(handle, request, response, "");
      request.once("readable", () => {
        // What it asks for may stand in its body; the beginning of it tells one from the other.
        const body: unknown = request.read();
        if (body instanceof Buffer) request.unshift(body);
        this.#answer(handle, request, response, body instanceof Buffer ? ` ${body.toString("utf8")}` : "");
      });
    };
  }

  #answer(handle: RequestListener, request: IncomingMessage, response: ServerResponse, body: string): void {
    const number = this.#asked;
    this.#asked += 1;
    const { method, url, headers } = request;
    const place = `${method} ${url}${body}`;
    this.#places.add(place);
    const whose = `${method} ${url} ${headers.authorization}`;
    if ((this.#waits.get(whose) ?? 0) > this.#clock.now()) this.hasty.push(`${method} ${url}`);
    this.#waits.delete(whose);
    const trouble = this.#trouble;
    switch (trouble?.kind) {
      case "busy":
        if (number < trouble.from || number >= trouble.from + trouble.count) break;
        this.#waits.set(whose, this.#clock.now() + trouble.waitSeconds * 1000);
        return this.#refuse(request, response, this.#refusals.busy(trouble.waitSeconds));
      case "credentials": {
        const refusal = number < trouble.from ? null : this.#refusals.credentials(request);
        if (refusal === null) break;
        return this.#refuse(request, response, refusal);
      }
      case "given up":
        if (typeof trouble.on === "string" ? trouble.on !== place : number < trouble.on.from) break;
        return this.#refuse(request, response, gatewayTimeout);
      case "cut":
        if (number === trouble.at) spoil(response, (body) => Math.floor(body.byteLength / 2), "end");
        break;
      case "event":
        if (number === trouble.at) trouble.act();
        break;
      case "broken":
      case "stuck": {
        const { kind, text } = trouble;
        spoil(response, (body) => placeIn(body, text), kind === "broken" ? "end" : "stay");
        break;
      }
      case "slow":
        holdBack(response, (body, { write, end }) => {
          if (body.byteLength === 0 || !(trouble.at.includes(number) || body.includes(trouble.text))) return end(body);
          this.#slowed += 1;
          void drip(body, write).then(() => end());
        });
    }
    handle(request, response);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Refusal): void {
    this.#refused += 1;
    request.resume();
    const isText = typeof body === "string";
    response.writeHead(status, { "content-type": isText ? "application/xml" : "application/json", ...headers });
    response.end(isText ? body : JSON.stringify(body));
  }
}

function placeIn(body: Buffer, text: string): number | null {
  const at = body.indexOf(text);
  return at < 0 ? null : at + Math.floor(text.length / 2);
}

/** Sends an answer up to a place in it; whole where there is none. */
function spoil(response: ServerResponse, placeOf: (body: Buffer) => number | null, then: "end" | "stay"): void {
  holdBack(response, (body, { write, end }) => {
    const place = placeOf(body);
    if (place === null) return end(body);
    // Where there is no half of it, nothing is answered at all.
    if (place === 0) response.destroy();
    else write(body.subarray(0, place), () => then === "end" && response.destroy());
  });
}

type Sending = { write(bytes: Uint8Array, sent?: () => void): void; end(bytes?: Uint8Array): void };

/** Holds the body back until it is whole, and has it sent otherwise. */
function holdBack(response: ServerResponse, send: (body: Buffer, sending: Sending) => void): void {
  const chunks: Buffer[] = [];
  const sending: Sending = { write: response.write.bind(response), end: response.end.bind(response) };
  const keep = (...args: unknown[]) => {
    const [chunk, encoding] = args;
    if (typeof chunk === "string") {
      chunks.push(Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8"));
    } else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    const told = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
    told?.();
  };
  response.write = ((...args: unknown[]) => {
    keep(...args);
    return true;
  }) as typeof response.write;
  response.end = ((...args: unknown[]) => {
    keep(...args);
    send(Buffer.concat(chunks), sending);
    return response;
  }) as typeof response.end;
}
