import { openSecretBox } from "@anneal/db/open-secret-box";
import type { SecretBox } from "@anneal/db/secret-box";
import { env } from "#env.ts";

// Next loads a module once per bundle; the keys are asked for once per process.
const shared = globalThis as typeof globalThis & { annealSecretBox?: Promise<SecretBox> };

/** What seals entered credentials. Where it could not be had it is asked for again, as a vault may be back by then. */
export function secretBox(): Promise<SecretBox> {
  shared.annealSecretBox ??= openSecretBox(env()).catch((error: unknown) => {
    delete shared.annealSecretBox;
    throw error;
  });
  return shared.annealSecretBox;
}
