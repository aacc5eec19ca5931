import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** OWASP's scrypt minimum (N = 2^17, r = 8, p = 1): about 128 MiB and a tenth of a second. Format: scrypt$N$r$p$salt$hash. */
const cost = { N: 2 ** 17, r: 8, p: 1 };
const keyBytes = 32;
export const minPasswordLength = 10;

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64"), key.toString("base64")].join("$");
}

/** Never throws: a hash that cannot be read matches nothing. Without a hash it takes as long as with one, so that time does not tell who has an account. */
export async function verifyPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  const [scheme, n, r, p, salt, key] = (hash ?? absent).split("$");
  if (scheme !== "scrypt" || !n || !r || !p || !salt || !key) return false;
  const expected = Buffer.from(key, "base64");
  try {
    const actual = await derive(password, Buffer.from(salt, "base64"), { N: Number(n), r: Number(r), p: Number(p) });
    return expected.length === actual.length && timingSafeEqual(expected, actual) && hash != null;
  } catch {
    return false;
  }
}

const absent = `scrypt$${cost.N}$${cost.r}$${cost.p}$${Buffer.alloc(16).toString("base64")}$${Buffer.alloc(keyBytes).toString("base64")}`;

function derive(password: string, salt: Buffer, { N, r, p }: typeof cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const maxmem = 256 * N * r;
    scrypt(password.normalize("NFKC"), salt, keyBytes, { N, r, p, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
