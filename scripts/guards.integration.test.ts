import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Every guard of `npm run check` once meets a violation that it must refuse: a guard that sees nothing passes everything.
const repoDir = dirname(dirname(fileURLToPath(import.meta.url)));
let house: string;

type Planted = { file: string; text: string };

/** The repository's rules and packages in a folder of its own, so that nothing is planted in the working tree. */
beforeAll(async () => {
  house = await mkdtemp(join(tmpdir(), "anneal-guards-"));
  const rules = [
    "package.json",
    "turbo.json",
    "tsconfig.json",
    "tsconfig.base.json",
    ".oxlintrc.json",
    ".oxfmtrc.json",
    "knip.json",
  ];
  for (const name of rules) await cp(join(repoDir, name), join(house, name));
  for (const workspace of ["packages/core", "packages/db", "apps/worker", "apps/cli", "apps/web"]) {
    for (const name of ["package.json", "turbo.json"]) {
      await cp(join(repoDir, workspace, name), join(house, workspace, name));
    }
  }
  await cp(join(repoDir, "apps/web/tsconfig.json"), join(house, "apps/web/tsconfig.json"));
  await cp(join(repoDir, "package-lock.json"), join(house, "package-lock.json"));
  await symlink(join(repoDir, "node_modules"), join(house, "node_modules"));
  await run("git", ["init", "--quiet"]);
});

afterAll(() => rm(house, { recursive: true, force: true }));

function run(command: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: house, env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" } });
    let output = "";
    child.stdout.on("data", (part: Buffer) => (output += part.toString()));
    child.stderr.on("data", (part: Buffer) => (output += part.toString()));
    child.once("error", reject).once("close", (code) => resolve({ code, output }));
  });
}

/** The guard passes without the violation and fails with it, naming what is wrong. */
async function expectRefusal(guard: [string, ...string[]], planted: Planted, harmless: string, complaint: RegExp) {
  const [command, ...args] = guard;
  const path = join(house, planted.file);
  await mkdir(dirname(path), { recursive: true });
  const before = await readFile(path, "utf8").catch(() => null);
  try {
    await writeFile(path, harmless);
    expect((await run(command, args)).code, "without the violation").toBe(0);
    await writeFile(path, planted.text);
    const { code, output } = await run(command, args);
    expect(output).toMatch(complaint);
    expect(code).not.toBe(0);
  } finally {
    await (before === null ? rm(path) : writeFile(path, before));
  }
}

describe("the guards refuse", () => {
  const lint: [string, ...string[]] = ["oxlint", "--deny-warnings"];
  const nothing = "export const planted = 1;\n";

  it.each<[string, Planted, RegExp]>([
    [
      "input and output in the pure core",
      { file: "packages/core/src/planted.ts", text: 'import { readFileSync } from "node:fs";\nreadFileSync("x");\n' },
      /core and sizing are pure/,
    ],
    [
      "input and output in a workflow",
      {
        file: "apps/worker/src/workflows/planted.ts",
        text: 'import { readFileSync } from "node:fs";\nreadFileSync("x");\n',
      },
      /Workflows are deterministic/,
    ],
    [
      "chance in a workflow",
      { file: "apps/worker/src/workflows/planted.ts", text: "export const planted = Math.random();\n" },
      /Workflows are deterministic/,
    ],
    [
      "an activity's code in a workflow",
      {
        file: "apps/worker/src/workflows/planted.ts",
        text: 'import { a } from "../activities/a.ts";\nexport const planted = a;\n',
      },
      /activities by their types/,
    ],
    ["`any`", { file: "packages/core/src/planted.ts", text: "export const planted = 1 as any;\n" }, /no-explicit-any/],
  ])("%s", async (_, planted, complaint) => {
    await expectRefusal([...lint, planted.file], planted, nothing, complaint);
  });

  it.each([
    ["code", ".", "packages/core/src/planted.ts"],
    ["a page", "apps/web", "apps/web/src/planted.tsx"],
  ])("%s that does not type-check", async (_, project, file) => {
    const planted = { file, text: 'export const planted: number = "one";\n' };
    await expectRefusal(["tsc", "--noEmit", "--project", project], planted, nothing, /not assignable/);
  });

  it("code that is not formatted", async () => {
    const file = "packages/core/src/planted.ts";
    await expectRefusal(
      ["oxfmt", "--check", file],
      { file, text: "export   const planted=1\n" },
      nothing,
      /planted\.ts/,
    );
  });

  it("a package that reaches into another's folder", async () => {
    const planted = { file: "apps/cli/src/planted.ts", text: 'import "../../web/src/planted.ts";\n' };
    await expectRefusal(["turbo", "boundaries"], planted, nothing, /cannot import|leaves the package/);
  });

  it("a pure package that depends on one that is not", async () => {
    const manifest = JSON.parse(await readFile(join(house, "packages/core/package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const planted = { ...manifest, dependencies: { ...manifest.dependencies, "@anneal/db": "*" } };
    await expectRefusal(
      ["turbo", "boundaries"],
      { file: "packages/core/package.json", text: JSON.stringify(planted) },
      JSON.stringify(manifest),
      /tag/,
    );
  });

  it("a file that nothing uses", async () => {
    const file = "apps/cli/src/planted.ts";
    const main = join(house, "apps/cli/src/main.ts");
    await writeFile(main, "console.log(1);\n");
    const { output, code } = await run("knip", ["--include", "files", "--workspace", "apps/cli"]);
    expect({ code, output }).toMatchObject({ code: 0 });
    await writeFile(join(house, file), "export const planted = 1;\n");
    const found = await run("knip", ["--include", "files", "--workspace", "apps/cli"]);
    expect(found.output).toContain("planted.ts");
    expect(found.code).not.toBe(0);
    await rm(main);
    await rm(join(house, file));
  });

  it("two versions of one dependency", async () => {
    const manifest = JSON.parse(await readFile(join(house, "apps/cli/package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const planted = { ...manifest, dependencies: { ...manifest.dependencies, zod: "3.0.0" } };
    const path = join(house, "apps/cli/package.json");
    await writeFile(path, JSON.stringify(planted, null, 2));
    const { code, output } = await run("sherif", []);
    await writeFile(path, JSON.stringify(manifest, null, 2));
    expect(output).toMatch(/zod/);
    expect(code).not.toBe(0);
  });
});
