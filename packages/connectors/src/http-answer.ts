import { pipeline, Readable } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";

/** The codings in which a body may come, as `accept-encoding` names them. */
export const acceptedCodings = "gzip, deflate, br";

/** As browsers do: what arrived of a body whose last bytes its server leaves out counts. */
const leniently = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const decoders: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: () => createGunzip(leniently),
  "x-gzip": () => createGunzip(leniently),
  br: () =>
    createBrotliDecompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    }),
};

/** So much is read of a body that nobody wants, to use its connection again; a longer one costs more than a new connection. */
const discardedBytes = 64 * 1024;

export type HttpAnswerParts = {
  url: string;
  status: number;
  /** By names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** As it comes over the line. */
  body: Readable;
};

/** An answer whose body is still to come: it is read once, or thrown away. */
export class HttpAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers = new Headers();
  readonly #source: Readable;

  constructor({ url, status, headers, body }: HttpAnswerParts) {
    this.url = url;
    this.status = status;
    for (const [name, value] of Object.entries(headers)) {
      for (const each of Array.isArray(value) ? value : [value ?? ""]) this.headers.append(name, each);
    }
    this.#source = body;
    // One that breaks off while nobody reads it would end the process. Who reads it is told.
    body.on("error", () => {});
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** Where a redirect leads to, as it was written: header values come as Latin-1, and are UTF-8 where they can be. */
  get location(): string | null {
    const value = this.headers.get("location");
    if (value === null) return null;
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
    } catch {
      return value;
    }
  }

  /** Decoded. In a coding that nobody asked for it comes as it is. */
  body(): AsyncIterable<Uint8Array> {
    const coding = this.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
    if (coding === "deflate") return inflated(this.#source);
    const decoder = decoders[coding];
    if (decoder === undefined) return this.#source;
    return pipeline(this.#source, decoder(), () => {}) as unknown as AsyncIterable<Uint8Array>;
  }

  /** Ends a body that nobody has begun to read. */
  discard(): void {
    let left = discardedBytes;
    this.#source.on("data", (chunk: Uint8Array) => {
      left -= chunk.byteLength;
      if (left < 0) this.#source.destroy();
    });
  }
}

/** "deflate" is the format of zlib, and without its frame from some servers: the first byte tells, as it does for browsers. */
async function* inflated(source: Readable): AsyncIterable<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await chunks.next();
  if (first.done === true) return;
  const whole = (async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  })();
  const hasFrame = (first.value[0]! & 0x0f) === 0x08;
  const decoder = hasFrame ? createInflate(leniently) : createInflateRaw(leniently);
  yield* pipeline(Readable.from(whole), decoder, () => {});
}
