import { generateKeyPairSync, randomBytes, verify, type KeyObject } from "node:crypto";

type Claims = { iss?: string; sub?: string; scope?: string; aud?: string; iat?: number; exp?: number };
export type Grant = { subject: string; scopes: string[] };

/** One for all: making one takes longer than most tests. */
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

/**
 * Google's token endpoint, from "Using OAuth 2.0 for Server to Server Applications": statements are verified, and
 * scopes are granted for users by delegation and for the account itself without.
 */
export class FakeTokens {
  readonly accountEmail = "reader@project.iam.gserviceaccount.com";
  /** What the Admin console allows the account to have in the name of users. */
  readonly delegatedScopes = new Set<string>();
  readonly users = new Set<string>();
  #grants = new Map<string, Grant>();
  issuedCount = 0;

  /** The file that Google Cloud gives. */
  keyFile(privateKey: KeyObject = keys.privateKey): string {
    return JSON.stringify({
      type: "service_account",
      project_id: "project",
      private_key_id: "key-1",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: this.accountEmail,
      client_id: "100000000000000000001",
      token_uri: "https://oauth2.googleapis.com/token",
    });
  }

  expireAll(): void {
    this.#grants = new Map();
  }

  grantOf(authorization: string | undefined): Grant | null {
    return this.#grants.get(authorization?.replace(/^Bearer /, "") ?? "") ?? null;
  }

  answer(body: string, audience: string): { status: number; json: unknown } {
    const refuse = (status: number, error: string, error_description: string) => ({
      status,
      json: { error, error_description },
    });
    const form = new URLSearchParams(body);
    if (form.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") {
      return refuse(400, "unsupported_grant_type", "Invalid grant_type");
    }
    const [header = "", payload = "", signature = ""] = (form.get("assertion") ?? "").split(".");
    const signed = Buffer.from(`${header}.${payload}`);
    if (!verify("RSA-SHA256", signed, keys.publicKey, Buffer.from(signature, "base64url"))) {
      return refuse(400, "invalid_grant", "Invalid JWT Signature.");
    }
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Claims;
    const now = Date.now() / 1000;
    const isTimely = (claims.iat ?? Infinity) <= now && (claims.exp ?? 0) > now && claims.exp! - claims.iat! <= 3600;
    if (!isTimely) {
      return refuse(
        400,
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token. Check your iat and exp values.",
      );
    }
    if (claims.iss !== this.accountEmail || claims.aud !== audience) return refuse(400, "invalid_grant", "Invalid JWT");
    const scopes = (claims.scope ?? "").split(" ");
    if (claims.sub !== undefined) {
      if (!this.users.has(claims.sub)) return refuse(400, "invalid_grant", "Invalid email or User ID");
      if (!scopes.every((scope) => this.delegatedScopes.has(scope))) {
        return refuse(
          401,
          "unauthorized_client",
          "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
        );
      }
    }
    const token = randomBytes(16).toString("hex");
    this.issuedCount += 1;
    this.#grants.set(token, { subject: claims.sub ?? this.accountEmail, scopes });
    return { status: 200, json: { access_token: token, expires_in: 3599, token_type: "Bearer" } };
  }
}
