const removed = "[removed]";

/** By the end of a field's name, written in whatever way: apiKey, x-api-key, client_secret. Counts of tokens are none. */
const secretNames =
  /(?:secrets?|passwords?|passphrase|apikey|privatekey|accesskey|authorization|credentials?|token|cookie)$/u;
const userInAddress = /(\/\/)[^\s/?#@"]+@/gu;
const authorization = /\b(Bearer|Basic)\s+[^\s"',;]+/giu;

/**
 * What is to be logged, at whatever depth, without what a field's name or its place in a text says to be a secret.
 * @param describe turns an error into an object that says all of it
 */
export function withoutSecrets(value: unknown, describe: (error: Error) => object, around: object[] = []): unknown {
  if (typeof value === "string")
    return value.replace(userInAddress, `$1${removed}@`).replace(authorization, `$1 ${removed}`);
  if (typeof value !== "object" || value === null) return value;
  if (around.includes(value)) return "[around it]";
  const within = [...around, value];
  const inner = (each: unknown) => withoutSecrets(each, describe, within);
  if (value instanceof Error) return inner({ ...describe(value) });
  if ("toJSON" in value && typeof value.toJSON === "function") return inner(value.toJSON());
  if (Array.isArray(value)) return value.map(inner);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, isSecret(name) && field !== null ? removed : inner(field)]),
  );
}

function isSecret(name: string): boolean {
  return secretNames.test(name.toLowerCase().replaceAll(/[^a-z]/gu, ""));
}
