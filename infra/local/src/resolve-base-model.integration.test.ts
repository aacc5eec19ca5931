import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locatePython } from "./python-env.ts";
import { resolveBaseModel } from "./resolve-base-model.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const files: Record<string, string> = {
  "config.json": '{"architectures":["LlamaForCausalLM"]}',
  "model.safetensors": "w".repeat(300_000),
  "tokenizer.json": "{}",
  "modeling_evil.py": "raise SystemExit('never downloaded')",
  "onnx/model.json": "{}",
};

let dir: string;
let hub: Server;
let endpoint: string;
const asked: string[] = [];

/** The part of the Hub's HTTP API that a download asks for, after its published description. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "anneal-model-"));
  hub = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://hub").pathname;
    asked.push(path);
    const send = (status: number, body: unknown, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    if (path.includes("/someone/gated")) return send(403, { error: "gated" }, { "x-error-code": "GatedRepo" });
    if (!path.includes("acme/small")) return send(401, { error: "no" }, { "x-error-code": "RepoNotFound" });
    const listed = Object.entries(files).map(([name, text]) => ({ name, size: Buffer.byteLength(text) }));
    if (path.startsWith("/api/models/acme/small/tree/"))
      return send(
        200,
        listed.map(({ name, size }) => ({ type: "file", path: name, size, oid: digest(name) })),
      );
    if (path.startsWith("/api/models/"))
      return send(200, {
        id: "acme/small",
        sha: commit,
        siblings: listed.map(({ name, size }) => ({ rfilename: name, size })),
      });
    const text = files[path.replace(`/acme/small/resolve/${commit}/`, "")];
    if (text === undefined) return send(404, { error: "no" }, { "x-error-code": "EntryNotFound" });
    response.writeHead(200, {
      "content-length": Buffer.byteLength(text),
      etag: `"${digest(text)}"`,
      "x-repo-commit": commit,
    });
    response.end(request.method === "HEAD" ? undefined : text);
  });
  await new Promise<void>((ready) => hub.listen(0, "127.0.0.1", ready));
  endpoint = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
});

afterAll(async () => {
  hub.close();
  await rm(dir, { recursive: true, force: true });
});

const digest = (text: string) => createHash("sha1").update(text).digest("hex");

function resolve(model: string, hubUrl = endpoint, onProgress?: (note: string) => void): Promise<string> {
  const python = { ...locatePython(process.env), cacheDir: join(dir, "cache") };
  const env = { ...process.env, INIT_CWD: dir, HF_ENDPOINT: hubUrl, HF_HUB_OFFLINE: "", HF_TOKEN: "" };
  return resolveBaseModel({ model, python, env, onProgress });
}

describe("resolveBaseModel", () => {
  it("downloads a Hugging Face id once: configuration, tokenizer and weights, never code", async () => {
    const notes: string[] = [];
    const folder = await resolve("acme/small", endpoint, (note) => notes.push(note));
    expect(folder).toMatch(/\/acme\/small$/);
    expect((await readdir(folder)).filter((name) => !name.startsWith(".")).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect(await readFile(join(folder, "model.safetensors"), "utf8")).toBe(files["model.safetensors"]);
    expect(notes[0]).toBe("downloading acme/small");
    const before = asked.length;
    expect(await resolve("acme/small")).toBe(folder);
    expect(asked).toHaveLength(before);
  });

  it.each([
    ["an id that the Hub does not have", "acme/typo", "There is no public model acme/typo", "Check the id"],
    ["a gated model", "someone/gated", "someone/gated is a gated model", "HF_TOKEN"],
    ["a folder that is not there", "/nowhere", "/nowhere does not exist", "ANNEAL_BASE_MODEL"],
    ["a word", "gpt", "neither a folder nor a Hugging Face id", "ANNEAL_BASE_MODEL"],
  ])("says what is wrong with %s", async (_, model, sentence, action) => {
    await expect(resolve(model)).rejects.toMatchObject({
      code: "MODEL_UNKNOWN",
      message: expect.stringContaining(sentence),
      action: expect.stringContaining(action),
    });
  });

  it("says what to do on a machine without a network", async () => {
    await expect(resolve("acme/other", "http://127.0.0.1:9")).rejects.toMatchObject({
      code: "MODEL_UNKNOWN",
      message: "The Hugging Face Hub cannot be reached, so acme/other could not be downloaded.",
      action: expect.stringContaining("folder of a downloaded model"),
    });
  });

  it("takes a folder, also one named from where the person stands, and says what it lacks", async () => {
    const folder = join(dir, "mine");
    await mkdir(folder);
    await writeFile(join(folder, "config.json"), "{}");
    await expect(resolve("./mine")).rejects.toMatchObject({
      message: `The base model's folder ${folder} holds no safetensors file.`,
    });
    await writeFile(join(folder, "model.safetensors"), "");
    expect(await resolve("./mine")).toBe(folder);
    expect(await resolve("mine")).toBe(folder);
  });
});
