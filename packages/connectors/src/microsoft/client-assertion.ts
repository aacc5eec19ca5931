import {
  constants,
  createHash,
  createPrivateKey,
  randomUUID,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { AnnealError } from "@anneal/core/errors";

const lifetimeS = 300;

/**
 * A signed statement of who asks, in place of a secret (Microsoft identity platform, "Certificate credentials").
 * @param pem the private key (not encrypted) and the certificate that is uploaded to the app registration
 * @throws AnnealError SOURCE_CREDENTIALS when it holds no such pair; never with a part of it
 */
export function createClientAssertion(pem: string, clientId: string, audience: string, now: Date): string {
  const { key, certificate } = readCertificate(pem);
  const issuedS = Math.floor(now.getTime() / 1000);
  const header = {
    alg: "PS256",
    typ: "JWT",
    "x5t#S256": createHash("sha256").update(certificate.raw).digest("base64url"),
  };
  const claims = {
    aud: audience,
    iss: clientId,
    sub: clientId,
    jti: randomUUID(),
    nbf: issuedS,
    iat: issuedS,
    exp: issuedS + lifetimeS,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return `${text}.${sign("sha256", Buffer.from(text), { key, ...padding }).toString("base64url")}`;
}

function readCertificate(pem: string): { key: KeyObject; certificate: X509Certificate } {
  try {
    const certificate = new X509Certificate(blockOf(pem, "CERTIFICATE"));
    const key = createPrivateKey({ key: blockOf(pem, "PRIVATE KEY"), format: "der", type: "pkcs8" });
    if (key.asymmetricKeyType === "rsa" && certificate.checkPrivateKey(key)) return { key, certificate };
  } catch {
    // What the library says may quote what it was given.
  }
  throw new AnnealError("SOURCE_CREDENTIALS", "The certificate cannot be used.", {
    action:
      "Enter one PEM text with an RSA private key (BEGIN PRIVATE KEY, without a passphrase) and its certificate (BEGIN CERTIFICATE).",
  });
}

/** Forms of one line take the line ends out of a PEM text. */
function blockOf(pem: string, label: string): Buffer {
  const block = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(pem);
  return Buffer.from(block?.[1] ?? "", "base64");
}
