import { formatAppUrl } from "./start-postgres.ts";
import { readSecrets } from "./secrets.ts";
import { readRecord } from "./stack-record.ts";
import { readStackSettings, type StackSettings } from "./stack-settings.ts";

type Keys = "ANNEAL_ENCRYPTION_KEY" | "ANNEAL_ENCRYPTION_KEYS_OLD" | "ANNEAL_ENCRYPTION_KEY_COMMAND";

/**
 * The keys of stored credentials as the apps get them. Once another one is set, the state folder's own becomes an old
 * one, so that what it sealed still opens.
 * @param ownKey the state folder's, or undefined where there is none
 */
export function encryptionSettings(given: Pick<StackSettings, Keys>, ownKey: string | undefined) {
  const { ANNEAL_ENCRYPTION_KEY: key, ANNEAL_ENCRYPTION_KEY_COMMAND: command } = given;
  const isSet = key !== undefined || command !== undefined;
  const old = [given.ANNEAL_ENCRYPTION_KEYS_OLD, isSet ? ownKey : undefined].filter((each) => each !== undefined);
  const present = key ?? (isSet ? undefined : ownKey);
  return {
    ...(present === undefined ? {} : { ANNEAL_ENCRYPTION_KEY: present }),
    ...(command === undefined ? {} : { ANNEAL_ENCRYPTION_KEY_COMMAND: command }),
    ...(old.length === 0 ? {} : { ANNEAL_ENCRYPTION_KEYS_OLD: old.join(",") }),
  };
}

/**
 * What a command beside the apps needs to open what they stored: the database's address (null where none is set and no
 * stack was started from this folder) and the keys.
 */
export async function findStoredCredentials(stateDir: string, env: Readonly<Record<string, string | undefined>>) {
  const settings = readStackSettings(env);
  const [secrets, record] = await Promise.all([readSecrets(stateDir), readRecord(stateDir)]);
  const port = record?.ports["postgres"];
  const ownUrl = secrets && port !== undefined ? formatAppUrl(secrets.databaseAppPassword, port) : null;
  return {
    databaseUrl: settings.ANNEAL_DATABASE_URL ?? ownUrl,
    encryption: encryptionSettings(settings, secrets?.encryptionKey),
  };
}
