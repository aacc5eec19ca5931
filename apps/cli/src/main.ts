// First: before the commands, which load the database.
import "@anneal/db/resolve-drizzle";
import { isAnnealError } from "@anneal/core/errors";
import { Command } from "commander";
import { readEnv, type Env } from "./env.ts";
import { describeError } from "./describe-error.ts";
import { exitCodes, exitCodesHelp } from "./exit-codes.ts";

const program = new Command("anneal")
  .description("The loop on your own documents and GPUs: connect, clean, dedupe, train, register, serve, index, chat.")
  .showHelpAfterError("What to do: run it with --help to see every option.")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "INVALID_INPUT: ")) })
  .addHelpText(
    "after",
    "\nSettings come from environment variables or the file .env; .env.example describes each." + `\n${exitCodesHelp}`,
  );

const adders = new Map<string, () => Promise<(program: Command, env: Env) => void>>([
  ["start", async () => (await import("./commands/start.ts")).addStartCommand],
  ["loop", async () => (await import("./commands/loop.ts")).addLoopCommand],
  ["connect", async () => (await import("./commands/connect.ts")).addConnectCommand],
  ["keys", async () => (await import("./commands/keys.ts")).addKeysCommand],
  ["size", async () => (await import("./commands/size.ts")).addSizeCommand],
  ["place", async () => (await import("./commands/place.ts")).addPlaceCommand],
  ["autoscale", async () => (await import("./commands/autoscale.ts")).addAutoscaleCommand],
]);
// What a command needs takes half a second to load, and nobody asks for two at once; without a known one, all are named.
const asked = adders.get(process.argv[2] ?? "");
const env = readEnv();
for (const load of asked === undefined ? adders.values() : [asked]) (await load())(program, env);

try {
  await program.parseAsync();
} catch (error) {
  // One sentence of what happened, one of what to do; the stack only for what nobody expected.
  console.error(describeError(error));
  if (!isAnnealError(error) && error instanceof Error) console.error(error.stack);
  process.exitCode = isAnnealError(error) && error.code === "CANCELLED" ? exitCodes.interrupted : exitCodes.failed;
}
