import { generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseServiceAccount, signAssertion } from "./service-account.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const keyFile = {
  type: "service_account",
  client_email: "reader@project.iam.gserviceaccount.com",
  client_id: "42",
  private_key_id: "key-1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
};

describe("a service account's key", () => {
  it("signs what Google needs to know, for a user only where one is named", () => {
    const account = parseServiceAccount(JSON.stringify(keyFile));
    const partsOf = (subject: string | null) => {
      const claims = { subject, scopes: ["a", "b"], audience: "https://oauth2.googleapis.com/token" };
      const [header = "", payload = "", signature = ""] = signAssertion(account, claims, 1_000_000).split(".");
      const signed = Buffer.from(`${header}.${payload}`);
      expect(verify("RSA-SHA256", signed, publicKey, Buffer.from(signature, "base64url"))).toBe(true);
      const decode = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
      return { header: decode(header), payload: decode(payload) };
    };
    const basis = {
      iss: keyFile.client_email,
      scope: "a b",
      aud: "https://oauth2.googleapis.com/token",
      iat: 999_970,
      exp: 1_003_570,
    };
    expect(partsOf(null)).toEqual({ header: { alg: "RS256", typ: "JWT", kid: "key-1" }, payload: basis });
    expect(partsOf("ann@corp.example").payload).toEqual({ ...basis, sub: "ann@corp.example" });
  });

  it("is refused without a word of it when it is not the file that Google Cloud gives", () => {
    const wrong = [
      "not json SECRET",
      JSON.stringify({ ...keyFile, type: "authorized_user" }),
      JSON.stringify({ ...keyFile, private_key: "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----" }),
    ];
    for (const json of wrong) {
      let thrown: unknown;
      try {
        parseServiceAccount(json);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain("SECRET");
    }
  });
});
