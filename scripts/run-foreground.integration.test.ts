import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const bootstrap = fileURLToPath(new URL("bootstrap.mjs", import.meta.url));

/** A program that runs until a signal comes, names it and ends with a code of its own; in it, another such wrapper. */
const program = `
  for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => { console.log("got " + name); process.exit(7); });
  console.log("runs");
  setInterval(() => {}, 1000);
`;
const wrap = (args: string) =>
  `import { runForeground } from ${JSON.stringify(bootstrap)};
   process.exitCode = await runForeground(process.execPath, ${args});`;

it.each(["SIGINT", "SIGTERM"] as const)(
  "%s to the wrapper alone reaches the program, whose exit code it keeps",
  async (signal) => {
    const inner = wrap(JSON.stringify(["-e", program]));
    const outer = spawn(
      process.execPath,
      ["--input-type=module", "-e", wrap(JSON.stringify(["--input-type=module", "-e", inner]))],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    outer.stdout.on("data", (part: Buffer) => {
      output += part.toString();
      if (output === "runs\n") outer.kill(signal);
    });
    expect(await once(outer, "exit")).toEqual([7, null]);
    expect(output).toBe(`runs\ngot ${signal}\n`);
  },
);
