import { once } from "node:events";
import { Readable } from "node:stream";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { answerOf } from "../conformance/answer-of.ts";
import { HttpAnswer } from "./http-answer.ts";
import { readText } from "./remote/remote-answer.ts";

const text = "A look at the pump. ".repeat(1000);
const parts = { url: "https://site.example/", status: 200, headers: {} };

it.for([
  ["gzip", gzipSync(text)],
  ["X-GZIP", gzipSync(text)],
  ["deflate", deflateSync(text)],
  // As some servers send it, without the frame that the standard asks for.
  ["Deflate", deflateRawSync(text)],
  ["br", brotliCompressSync(text)],
  ["identity", Buffer.from(text)],
  ["a coding of their own", Buffer.from(text)],
] as const)("decodes what comes as %s", async ([coding, body]) => {
  expect(await readText(answerOf(body, { headers: { "content-encoding": coding } }).body())).toBe(text);
});

it("keeps what arrived of a body whose end its server leaves out, and refuses one that is no such coding", async () => {
  const headers = { "content-encoding": "gzip" };
  expect(await readText(answerOf(gzipSync(text).subarray(0, -8), { headers }).body())).toBe(text);
  await expect(readText(answerOf("plain", { headers }).body())).rejects.toThrow(/incorrect header/);
});

it("tells whoever reads that a coded body broke off", async () => {
  const body = Readable.from(
    (async function* () {
      yield gzipSync(text).subarray(0, 20);
      throw new Error("the line is dead");
    })(),
  );
  const answer = new HttpAnswer({ ...parts, headers: { "content-encoding": "gzip" }, body });
  await expect(readText(answer.body())).rejects.toThrow("the line is dead");
});

it.for(["gzip", "deflate"])("lets go of a body in %s whose reader stops", async (coding) => {
  const body = Readable.from(
    (async function* () {
      for (const bytes = (coding === "gzip" ? gzipSync : deflateSync)(text); ;) yield bytes;
    })(),
  );
  const answer = new HttpAnswer({ ...parts, headers: { "content-encoding": coding }, body });
  const closed = new Promise((resolve) => body.once("close", resolve));
  for await (const chunk of answer.body()) if (chunk.byteLength > 0) break;
  await closed;
  expect(body.destroyed).toBe(true);
});

it("tells where a redirect leads in the words of whoever wrote it", () => {
  const locationOf = (bytes: Buffer) => answerOf("", { headers: { location: bytes.toString("latin1") } }).location;
  expect(locationOf(Buffer.from("/größe?q=я"))).toBe("/größe?q=я");
  expect(locationOf(Buffer.from("/größe", "latin1"))).toBe("/größe");
  expect(answerOf().location).toBeNull();
});

it("reads a short rest that nobody wants, and hangs up on a long one", async () => {
  const rest = (chunks: number) => {
    let sent = 0;
    const body = new Readable({ read: () => void body.push(sent++ < chunks ? Buffer.alloc(16 * 1024) : null) });
    return body;
  };
  const short = rest(2);
  new HttpAnswer({ ...parts, body: short }).discard();
  await once(short, "end");
  const long = rest(Infinity);
  new HttpAnswer({ ...parts, body: long }).discard();
  await once(long, "close");
  expect([short.readableEnded, long.readableEnded]).toEqual([true, false]);
});

it("lives on where a body breaks off that nobody reads", async () => {
  const body = new Readable({ read() {} });
  const answer = new HttpAnswer({ ...parts, body });
  body.destroy(new Error("the line is dead"));
  await new Promise((resolve) => body.once("close", resolve));
  await expect(readText(answer.body())).rejects.toThrow();
});

it("has headers of whatever case, those that come more than once too", () => {
  const headers = { "set-cookie": ["a=1", "b=2"], "content-type": "text/html" };
  const answer = new HttpAnswer({ ...parts, headers, body: Readable.from([]) });
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(answer.headers.get("Content-Type")).toBe("text/html");
  answer.discard();
});
