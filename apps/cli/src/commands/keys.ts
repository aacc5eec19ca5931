import { AnnealError } from "@anneal/core/errors";
import { openDatabase, pingDatabase, type Database } from "@anneal/db/database";
import { openSecretBox } from "@anneal/db/open-secret-box";
import { sealCredentialsAnew, type SealedAnew } from "@anneal/db/queries/sealed-credentials";
import { createEncryptionKey } from "@anneal/db/secret-box";
import { findStoredCredentials } from "@anneal/local-stack/encryption-settings";
import type { Command } from "commander";
import { describeError } from "../describe-error.ts";
import { stateDirOf, type Env } from "../env.ts";

/** `anneal keys`: the keys that seal the credentials of sources. Works on the database itself, with the worker's settings. */
export function addKeysCommand(program: Command, env: Env): void {
  const keys = program.command("keys").description("The keys that seal the stored credentials of sources.");
  keys
    .command("new")
    .description("print a new key; nothing uses it until it is set")
    .action(() => console.log(createEncryptionKey()));
  keys
    .command("rotate")
    .description("seal all stored credentials anew with the present key, so that old keys can go")
    .action(() => rotateKeys(env));
}

async function rotateKeys(env: Env): Promise<void> {
  const { databaseUrl, encryption } = await findStoredCredentials(stateDirOf(env), env);
  if (databaseUrl === null)
    throw new AnnealError("PREREQUISITE_MISSING", "There is no database whose credentials could be sealed anew.", {
      action: "Set ANNEAL_DATABASE_URL, or start Anneal here first with `npm start`.",
    });
  const box = await openSecretBox(encryption);
  const [present, ...old] = box.keyIds;
  const { db, close } = openDatabase(databaseUrl, { maxConnections: 2 });
  try {
    await requireDatabase(db);
    const done = await sealCredentialsAnew(db, box, "anneal keys rotate");
    console.log(
      `Sealed ${done.sealedCount} stored credentials anew with the key ${present}; ${done.presentCount} were already.`,
    );
    if (done.unopened.length > 0) throw describeUnopened(done.unopened);
    console.log(describeOld(old));
  } finally {
    await close();
  }
}

async function requireDatabase(db: Database): Promise<void> {
  await pingDatabase(db).catch(() => {
    throw new AnnealError("ENGINE_UNAVAILABLE", "The database does not answer.", {
      action: "Start Anneal with `npm start` and leave it running, or check ANNEAL_DATABASE_URL.",
    });
  });
}

function describeUnopened(unopened: SealedAnew["unopened"]): AnnealError {
  for (const { workspace, source, error } of unopened)
    console.error(`✗ “${source}” in the workspace ${workspace}: ${describeError(error)}`);
  return new AnnealError("SOURCE_CREDENTIALS", `${unopened.length} stored credentials could not be opened.`, {
    action: "Keep all old keys, add the ones that are named, and call this again; or enter those credentials anew.",
  });
}

function describeOld(old: readonly string[]): string {
  return old.length === 0
    ? "No old key is set."
    : `Nothing that is stored needs the old ${old.length === 1 ? "key" : "keys"} ${old.join(", ")} any more. ` +
        "Once every worker and portal was restarted with the present key, take them out of where they are set. " +
        "Backups of the database from before still need them.";
}
