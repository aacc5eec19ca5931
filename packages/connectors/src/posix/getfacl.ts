import { execFile } from "node:child_process";
import { AnnealError } from "@anneal/core/errors";
import { systemCode } from "../failure.ts";
import { readBit, type NodeAccess, type traverseBit } from "./audience.ts";

/** Paths on one command line stay far below what a system allows. */
export const pathsAtOnce = 64;

/** Owner, group and entries of one file as getfacl prints them; `default:` entries are for what is made below. */
type FileAcl = { owner: number; group: number; entries: { tag: string; id: string; rights: string }[] };

/**
 * The access lists of files or folders, as their system keeps them; a file whose list cannot be read is left out.
 * Modes alone would not do: on a file that has a list, the group's bits show its mask.
 *
 * @param heard is told that the program says something
 * @throws AnnealError PREREQUISITE_MISSING where getfacl is not installed
 */
export async function readFileAcls(
  paths: string[],
  signal: AbortSignal,
  heard: () => void,
): Promise<Map<string, FileAcl>> {
  if (paths.length === 0) return new Map();
  const output = await runGetfacl(["--numeric", "--absolute-names", "--", ...paths], signal, heard);
  return new Map(output.split("\n\n").flatMap(parseRecord));
}

/** @returns what getfacl printed; it ends with 1 where one of many files could not be read */
async function runGetfacl(args: string[], signal: AbortSignal, heard: () => void): Promise<string> {
  const env = { PATH: process.env["PATH"], LC_ALL: "C" };
  return new Promise((resolve, reject) => {
    const child = execFile(
      "getfacl",
      args,
      // What waits for a mount hears no gentler signal, and some no signal at all until the mount answers.
      { signal, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024, env },
      (error, stdout) => {
        if (error !== null && systemCode(error) === "ENOENT") reject(getfaclMissing());
        else if (error !== null && signal.aborted) {
          child.unref();
          reject(error);
        } else resolve(stdout);
      },
    );
    child.stdout?.on("data", heard);
  });
}

export function getfaclMissing(): AnnealError {
  return new AnnealError("PREREQUISITE_MISSING", "File permissions cannot be read: getfacl is not installed.", {
    action: 'Install the package "acl" on the machine that runs the worker, or turn file permissions off.',
  });
}

function parseRecord(text: string): [path: string, acl: FileAcl][] {
  const lines = text.split("\n").filter((line) => line !== "");
  const headers = new Map(
    lines.flatMap((line) => {
      const [, name = "", value = ""] = /^# (file|owner|group): (.*)$/.exec(line) ?? [];
      return name === "" ? [] : [[name, value] as const];
    }),
  );
  const [file, owner, group] = [headers.get("file"), headers.get("owner"), headers.get("group")];
  if (file === undefined || !isId(owner) || !isId(group)) return [];
  const entries = lines.flatMap((line) => {
    const [, tag = "", id = "", rights = ""] = /^(user|group|mask|other):(\d*):([r-][w-][xX-])/.exec(line) ?? [];
    return tag === "" ? [] : [{ tag, id, rights }];
  });
  return [[unescapePath(file), { owner: Number(owner), group: Number(group), entries }]];
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

/** A byte that would break the line is written in octal, and the backslash twice. */
function unescapePath(path: string): string {
  const bytes = Buffer.from(path).toString("latin1");
  const plain = bytes.replaceAll(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === "\\" ? code : String.fromCharCode(Number.parseInt(code, 8)),
  );
  return Buffer.from(plain, "latin1").toString();
}

/** @returns what the list says of one right; nobody is granted what it does not mention */
export function aclAccess(acl: FileAcl, bit: typeof readBit | typeof traverseBit): NodeAccess {
  const letter = bit === readBit ? "r" : "x";
  const has = (rights: string | undefined) => rights?.includes(letter) ?? false;
  const entry = (tag: string, id: string) => acl.entries.find((one) => one.tag === tag && one.id === id);
  const mask = entry("mask", "");
  const masked = (rights: string) => has(rights) && (mask === undefined || has(mask.rights));
  const named = (tag: string) =>
    acl.entries
      .filter((one) => one.tag === tag && one.id !== "")
      .map((one) => ({ id: Number(one.id), granted: masked(one.rights) }));
  return {
    owner: { id: acl.owner, granted: has(entry("user", "")?.rights) },
    // The owner's own entry comes before one that names the owner.
    users: named("user").filter(({ id }) => id !== acl.owner),
    groups: [{ id: acl.group, granted: masked(entry("group", "")?.rights ?? "") }, ...named("group")],
    other: has(entry("other", "")?.rights),
  };
}
