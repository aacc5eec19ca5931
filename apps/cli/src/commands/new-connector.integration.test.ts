import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { addConnectCommand } from "./connect.ts";
import { writeConnector } from "./new-connector.ts";

const repoDir = fileURLToPath(new URL("../../../../", import.meta.url));
const sourceKinds = "apps/web/src/server/connect/source-kinds.ts";
const registry = "packages/connectors/src/registry.ts";

type VitestReport = { testResults: { assertionResults: { status: string; title: string }[] }[] };

/** Of the kits' tests those of what the template's service has not: whatever else is skipped, a reader's connector lacks. */
const notThere = [
  // Folders.
  "follows all that lies in a folder which is moved",
  "gives what a folder grants to what is in it, and follows the folder",
  "moves a document under the permissions of its new place",
  "moves a folder with all that is in it under the permissions that the source has for it then",
  // A position, a token that ends.
  "stores as little at each checkpoint of many drives, channels or tables as of one",
  "loses and doubles nothing at whichever request a position is refused that was given before",
  "ends the same at whichever request its token expires",
  // Denial, and sharing with more than people and groups.
  "lets a denial win over whatever allows",
  "shows to nobody what denies a group of which nothing tells who is in it",
  "knows sharing with a domain and with everybody from sharing with a person",
  // Requests for readers, and documents that are hidden from the account: its list tells all.
  "no longer shows a document to whom it was taken from, whichever request for permissions is given up on",
  "shows to nobody what a restriction hides from its own account too, and reads nothing again once it is admitted",
  "tells of people where the whole source is closed to its account, so that a sync gets to show it to nobody",
];

describe("writeConnector", () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), "anneal-new-connector-"));
    const config = [
      "vitest.config.ts",
      "tsconfig.base.json",
      "package.json",
      "packages/db/testing/cluster-template.ts",
    ];
    for (const path of [...config, "packages/connectors", sourceKinds]) {
      await mkdir(join(copy, path, ".."), { recursive: true });
      await cp(join(repoDir, path), join(copy, path), { recursive: true });
    }
    // What the copy imports of ours is the real thing, by its name in there.
    await symlink(join(repoDir, "node_modules"), join(copy, "node_modules"));
  });
  afterAll(() => rm(copy, { recursive: true, force: true }));

  const run = async (program: string, args: string[], cwd: string) => {
    const bin = join(repoDir, "node_modules");
    const child = spawn(join(bin, ".bin/node"), [join(bin, program), ...args], {
      cwd,
      env: { PATH: `${join(bin, ".bin")}:${process.env.PATH}`, HOME: copy, TMPDIR: tmpdir() },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, output };
  };
  const codeOf = async (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (error as { code?: string }).code,
    );

  it("writes a connector that passes the kit as it is, has sound types, and is registered", async () => {
    const program = new Command();
    addConnectCommand(program, {}, copy);
    const print = vi.spyOn(console, "log").mockImplementation(() => {});
    await program.parseAsync(["connect", "new", "acme-wiki2"], { from: "user" });
    const said = print.mock.calls.flat().join("\n");
    print.mockRestore();
    expect(said).toContain("npx vitest run --project integration packages/connectors/src/acme-wiki2");
    const written = [...said.matchAll(/^(?:created|changed) +(\S+)$/gm)].map(([, path]) => path!);
    expect(written).toContain("packages/connectors/src/acme-wiki2/acme-wiki2-connector.integration.test.ts");
    for (const path of written) {
      expect(`${path}\n${await readFile(join(copy, path), "utf8")}`).not.toMatch(/template.?source/i);
    }

    const reportFile = join(copy, "report.json");
    const args = ["run", "--project", "integration", "--reporter=json", `--outputFile=${reportFile}`];
    const kit = await run("vitest/vitest.mjs", [...args, "packages/connectors/src/acme-wiki2"], copy);
    expect(kit.code, kit.output).toBe(0);
    const report = JSON.parse(await readFile(reportFile, "utf8")) as VitestReport;
    const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    expect(tests.filter(({ status }) => status === "passed").length).toBeGreaterThan(40);
    const left = tests.flatMap(({ status, title }) => (status === "passed" ? [] : [title]));
    expect(left.sort()).toEqual(notThere.toSorted());

    const text = await readFile(join(copy, registry), "utf8");
    expect(text).toContain('import { acmeWiki2Connector } from "./acme-wiki2/acme-wiki2-connector.ts";');
    expect(text).toMatch(/AnyConnector\[\] = \[[^\]]*\bacmeWiki2Connector,/);
    const kinds = await readFile(join(copy, sourceKinds), "utf8");
    expect(kinds).toContain('from "@anneal/connectors/acme-wiki2/config";');
    expect(kinds).toContain('  "acme-wiki2": {\n    title: "Acme wiki2",');
    const project = { extends: "../../tsconfig.base.json", include: ["src/acme-wiki2"] };
    await writeFile(join(copy, "packages/connectors/tsconfig.json"), JSON.stringify(project));
    const types = await run("typescript/bin/tsc", ["--noEmit"], join(copy, "packages/connectors"));
    expect(types).toEqual({ code: 0, output: "" });
  });

  it.each(["", "Wiki", "acme_wiki", "-wiki", "wiki-", "a--b", "2wiki", "../web", "wiki/x", "a".repeat(41)])(
    "refuses the name %j and writes nothing",
    async (name) => {
      const before = await readFile(join(copy, registry), "utf8");
      expect(await codeOf(writeConnector(copy, name))).toBe("INVALID_INPUT");
      expect(await readFile(join(copy, registry), "utf8")).toBe(before);
    },
  );

  it.each(["s3", "web", "remote", "graphql"])("refuses the name %j, which is taken", async (name) => {
    expect(await codeOf(writeConnector(copy, name))).toBe("CONFLICT");
  });

  it("refuses a second one of the same name, and keeps the order of the list", async () => {
    for (const name of ["zz-last", "aa-first"]) await writeConnector(copy, name);
    expect(await codeOf(writeConnector(copy, "aa-first"))).toBe("CONFLICT");
    const text = await readFile(join(copy, registry), "utf8");
    expect(text.indexOf("aaFirstConnector,")).toBeLessThan(text.indexOf("fileConnector,"));
    expect(text.indexOf("zzLastConnector,")).toBeGreaterThan(text.indexOf("webConnector,"));
    expect(text.match(/zzLastConnector/g)?.length).toBe(2);
  });
});
