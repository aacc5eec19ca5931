import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSourceFile } from "./source-file.ts";

const kind = { config: { properties: { host: {}, port: {} } }, secrets: { properties: { password: {} } } };
const nothing = async () => expect.fail("the standard input is not asked for");
const read = (text: string) => readSourceFile("-", kind, async () => text);
const source = { config: { host: "db.example", port: 1 }, secrets: { password: "hunter2" }, audience: "nobody" };

describe("a source in a file", () => {
  it("is read from a path or from the standard input", async () => {
    const dir = await mkdtemp(join(tmpdir(), "anneal-source-file-"));
    try {
      const path = join(dir, "source.json");
      await writeFile(path, JSON.stringify(source));
      expect(await readSourceFile(path, kind, nothing)).toEqual(source);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
    expect(await read(JSON.stringify(source))).toEqual(source);
    expect(await read("{}")).toEqual({ config: {}, secrets: {} });
  });

  it.each([
    ["that is not JSON", 'password: "hunter2"', "not JSON"],
    ["with a word too many", '{"config": {}, "password": "hunter2"}', "password"],
    ["with something else than text for a credential", '{"secrets": {"password": ["hunter2"]}}', "secrets.password"],
    ["with a setting that the kind has not", '{"config": {"hots": "hunter2"}}', "hots"],
    ["with a credential that the kind has not", '{"secrets": {"pasword": "hunter2"}}', "pasword"],
  ])("%s is refused by name, and not repeated", async (_, text, named) => {
    const error = await read(text).then(
      () => expect.fail("it was taken"),
      (refused: Error) => refused,
    );
    expect(error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining(named) });
    expect(`${error.message} ${(error as unknown as { action: string }).action}`).not.toContain("hunter2");
  });

  it("that is not there is named", async () => {
    await expect(readSourceFile("/nowhere/source.json", kind, nothing)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("/nowhere/source.json"),
    });
  });
});
