import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { createSecretBox, type SecretBox } from "./secret-box.ts";
import { splitCommand } from "./split-command.ts";

/** As `.env.example` describes them. */
export type EncryptionSettings = {
  ANNEAL_ENCRYPTION_KEY?: string | undefined;
  /** Separated by commas. */
  ANNEAL_ENCRYPTION_KEYS_OLD?: string | undefined;
  ANNEAL_ENCRYPTION_KEY_COMMAND?: string | undefined;
};

const commandSetting = "ANNEAL_ENCRYPTION_KEY_COMMAND";
const commandTimeoutMs = 30_000;
const maxOutputBytes = 64 * 1024;

/**
 * The keys of the stored credentials, from the settings or from the program that they name (a vault, a KMS). To be
 * called once a process: what the program prints is kept nowhere else.
 * @throws AnnealError PREREQUISITE_MISSING or INVALID_INPUT; neither holds a key, nor what the program printed
 */
export async function openSecretBox(
  settings: EncryptionSettings,
  limits: { timeoutMs: number } = { timeoutMs: commandTimeoutMs },
): Promise<SecretBox> {
  const { ANNEAL_ENCRYPTION_KEY: key, ANNEAL_ENCRYPTION_KEY_COMMAND: command } = settings;
  const old = (settings.ANNEAL_ENCRYPTION_KEYS_OLD ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  if (key && command)
    throw new AnnealError("INVALID_INPUT", `ANNEAL_ENCRYPTION_KEY and ${commandSetting} are both set.`, {
      action: "Keep one of them; a key that is replaced goes into ANNEAL_ENCRYPTION_KEYS_OLD.",
    });
  if (command) {
    const [present, ...others] = await keysOfCommand(command, limits.timeoutMs);
    return createSecretBox(present, [...others, ...old]);
  }
  if (key) return createSecretBox(key.trim(), old);
  throw new AnnealError("PREREQUISITE_MISSING", "Credentials of sources cannot be stored without an encryption key.", {
    action: `Set ANNEAL_ENCRYPTION_KEY or ${commandSetting} to the same key for every worker and portal, and restart them.`,
  });
}

/** @returns one key a line; the first seals, the others still open */
async function keysOfCommand(command: string, timeoutMs: number): Promise<[string, ...string[]]> {
  const [program, ...args] = splitCommand(commandSetting, command);
  const lines = (await outputOf(program, args, timeoutMs)).split(/\s+/).filter(Boolean);
  const [present, ...others] = lines;
  if (present !== undefined && lines.every((line) => Buffer.from(line, "base64").length === 32))
    return [present, ...others];
  throw failed(program, "printed something else than 32 bytes of base64 on each line");
}

/** What it prints on its standard error is dropped: some programs repeat there what they were given. */
async function outputOf(program: string, args: string[], timeoutMs: number): Promise<string> {
  const running = promisify(execFile)(program, args, {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: maxOutputBytes,
    windowsHide: true,
  });
  // One that asks for a password must not wait for somebody to enter it.
  running.child.stdin?.end();
  try {
    return (await running).stdout;
  } catch (error) {
    // Neither this error nor its message travels on: both hold the command, and the error what was printed.
    throw failed(program, describeFailure(error as NodeJS.ErrnoException & { killed?: boolean }, timeoutMs));
  }
}

function describeFailure({ code, killed }: { code?: unknown; killed?: boolean }, timeoutMs: number): string {
  if (code === "ENOENT") return "was not found";
  if (code === "EACCES") return "may not be run";
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "printed far more than keys";
  if (killed === true) return `did not end within ${timeoutMs / 1000} s`;
  return typeof code === "number" ? `ended with status ${code}` : "was ended by a signal";
}

function failed(program: string, what: string): AnnealError {
  return new AnnealError("PREREQUISITE_MISSING", `The program “${program}” of ${commandSetting} ${what}.`, {
    action:
      "Run the command yourself, as the user that runs Anneal: it must print the key and nothing else. What it printed is not repeated here.",
  });
}
