import { isAnnealError } from "@anneal/core/errors";
import { Command } from "commander";
import { addAutoscaleCommand } from "./commands/autoscale.ts";
import { addConnectCommand } from "./commands/connect.ts";
import { addKeysCommand } from "./commands/keys.ts";
import { addLoopCommand } from "./commands/loop.ts";
import { addPlaceCommand } from "./commands/place.ts";
import { addSizeCommand } from "./commands/size.ts";
import { addStartCommand } from "./commands/start.ts";
import { readEnv } from "./env.ts";
import { describeError } from "./describe-error.ts";

const program = new Command("anneal")
  .description("The loop on your own documents and GPUs: connect, clean, dedupe, train, register, serve, index, chat.")
  .showHelpAfterError("What to do: run it with --help to see every option.")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "INVALID_INPUT: ")) })
  .addHelpText(
    "after",
    "\nSettings come from environment variables or the file .env; .env.example describes each." +
      "\nExit codes: 0 done, 1 failed (code, what happened, what to do), 130 stopped by Ctrl-C.",
  );

const env = readEnv();
addStartCommand(program, env);
addLoopCommand(program, env);
addConnectCommand(program, env);
addKeysCommand(program, env);
addSizeCommand(program, env);
addPlaceCommand(program, env);
addAutoscaleCommand(program, env);

try {
  await program.parseAsync();
} catch (error) {
  // One sentence of what happened, one of what to do; the stack only for what nobody expected.
  console.error(describeError(error));
  if (!isAnnealError(error) && error instanceof Error) console.error(error.stack);
  // 130 is what shells expect of a program that Ctrl-C ended.
  process.exitCode = isAnnealError(error) && error.code === "CANCELLED" ? 130 : 1;
}
