import { constants, createHash, randomUUID, verify, X509Certificate } from "node:crypto";
import type { GraphAnswer } from "./fake-answers.ts";
import type { FakeTenant } from "./fake-tenant.ts";

/** Whom an access token was given to: the application itself (`user` null), or an account in it. */
export type Caller = { user: string | null; scopes: ReadonlySet<string>; byCertificate: boolean };

type DeviceRequest = {
  userCode: string;
  scopes: string[];
  state: { type: "pending" | "declined" | "expired" } | { type: "approved"; user: string };
  polledAtMs: number | null;
  intervalS: number;
};

type Grant = { user: string; state: "valid" | "revoked" | "expired" | "exchanged" };

/** Delegated permissions on Microsoft Graph that only an administrator consents to (Permissions reference). */
const adminOnly = new Set([
  "User.Read.All",
  "GroupMember.Read.All",
  "ChannelMessage.Read.All",
  "ChannelMember.Read.All",
  "Sites.FullControl.All",
]);

/** The tenant's token service: who signed in, for what, and what became of it. */
export class FakeEntra {
  /** "Allow public client flows" of the app registration. */
  allowsPublicClient = true;
  /** What an administrator consented to for everybody. */
  readonly adminConsents = new Set<string>();
  /** Whether an exchange gives a new refresh token, as Entra does when it sees fit. */
  rotates = true;
  /** Entra itself leaves an exchanged refresh token valid; other services take its use for theft. */
  refusesExchanged = false;
  /** Between two polls of one code. */
  intervalS = 0.01;
  /** How often a code was asked about, and a refresh token exchanged. */
  polls = 0;
  exchanges = 0;
  /** What each of those exchanges was for. */
  readonly wanted: string[][] = [];
  readonly #requests = new Map<string, DeviceRequest>();
  readonly #grants = new Map<string, Grant>();
  readonly #consents = new Map<string, Set<string>>();
  readonly #issued: Caller[] = [];

  /** Access tokens that were given out. */
  get issuedCount(): number {
    return this.#issued.length;
  }

  /** The first is number 1. */
  callerOf(tokenNumber: number): Caller | undefined {
    return this.#issued[tokenNumber - 1];
  }

  /** At the vendor's page: somebody enters the code and accepts, which not everybody may do for everything. */
  approve(userCode: string, user: string): "signed in" | "needs an administrator" {
    const request = this.#require(userCode);
    if (request.scopes.some((scope) => adminOnly.has(scope) && !this.adminConsents.has(scope))) {
      return "needs an administrator";
    }
    this.#consent(user, request.scopes);
    request.state = { type: "approved", user };
    return "signed in";
  }

  decline(userCode: string): void {
    this.#require(userCode).state = { type: "declined" };
  }

  expireCodes(): void {
    for (const request of this.#requests.values()) request.state = { type: "expired" };
  }

  /** A sign-in that happened before a test begins. */
  signIn(user: string, scopes: readonly string[]): string {
    this.#consent(user, scopes);
    return this.#grant(user);
  }

  consentsOf(user: string): string[] {
    return [...(this.#consents.get(user) ?? [])];
  }

  /** What a changed password, an administrator or half a year of silence does to what was granted. */
  endGrants(state: "revoked" | "expired"): void {
    for (const grant of this.#grants.values()) grant.state = state;
  }

  answerDeviceCode(tenant: FakeTenant, address: string, form: URLSearchParams): GraphAnswer {
    const refused = refuseClient(tenant, address, form);
    if (refused) return refused;
    const scopes = (form.get("scope") ?? "").split(" ");
    if (!scopes.includes("offline_access")) return refuse("invalid_scope", "AADSTS70011");
    const userCode = randomUUID().slice(0, 8).toUpperCase();
    const deviceCode = `device-${randomUUID()}`;
    this.#requests.set(deviceCode, {
      userCode,
      scopes: scopes.filter((scope) => scope.includes("/")).map((scope) => scope.slice(scope.lastIndexOf("/") + 1)),
      state: { type: "pending" },
      polledAtMs: null,
      intervalS: this.intervalS,
    });
    const verificationUri = "https://microsoft.com/devicelogin";
    return {
      status: 200,
      body: {
        device_code: deviceCode,
        user_code: userCode,
        verification_uri: verificationUri,
        expires_in: 900,
        interval: this.intervalS,
        message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode}.`,
      },
    };
  }

  answerToken(tenant: FakeTenant, address: string, form: URLSearchParams): GraphAnswer {
    const refused = refuseClient(tenant, address, form);
    if (refused) return refused;
    switch (form.get("grant_type")) {
      case "client_credentials":
        return this.#answerApplication(tenant, address, form);
      case "urn:ietf:params:oauth:grant-type:device_code":
        return this.#answerDevice(tenant, form);
      case "refresh_token":
        return this.#answerRefresh(form, new URL(address).origin);
      default:
        return refuse("unsupported_grant_type", "AADSTS70003");
    }
  }

  #answerApplication(tenant: FakeTenant, address: string, form: URLSearchParams): GraphAnswer {
    const assertion = form.get("client_assertion");
    if (assertion !== null) {
      if (!isSignedByTenantsApp(tenant, assertion, address)) return refuse("invalid_client", "AADSTS700027", 401);
    } else if (form.get("client_secret") !== tenant.clientSecret) return refuse("invalid_client", "AADSTS7000215", 401);
    if (!form.get("scope")?.endsWith("/.default")) return refuse("invalid_scope", "AADSTS70011");
    return this.#issue({ user: null, scopes: tenant.scopes, byCertificate: assertion !== null }, {});
  }

  #answerDevice(tenant: FakeTenant, form: URLSearchParams): GraphAnswer {
    if (!this.allowsPublicClient) return refuse("invalid_client", "AADSTS7000218", 401);
    this.polls += 1;
    const deviceCode = form.get("device_code") ?? "";
    const request = this.#requests.get(deviceCode);
    if (request === undefined) return refuse("bad_verification_code", "AADSTS70018");
    const { state, polledAtMs } = request;
    const now = performance.now();
    request.polledAtMs = now;
    switch (state.type) {
      case "pending":
        if (polledAtMs !== null && now - polledAtMs < request.intervalS * 1000) {
          request.intervalS += 5;
          return refuse("slow_down", "AADSTS70016");
        }
        return refuse("authorization_pending", "AADSTS70016");
      case "declined":
        return refuse("authorization_declined", "AADSTS70017");
      case "expired":
        return refuse("expired_token", "AADSTS70020");
      case "approved": {
        this.#requests.delete(deviceCode);
        const { id: oid, userPrincipalName } = tenant.users.get(state.user) ?? {};
        const claims = Buffer.from(JSON.stringify({ oid, preferred_username: userPrincipalName })).toString(
          "base64url",
        );
        return this.#issue(this.#callerFor(state.user), {
          refresh_token: this.#grant(state.user),
          id_token: `header.${claims}.signature`,
        });
      }
    }
  }

  #answerRefresh(form: URLSearchParams, origin: string): GraphAnswer {
    const scopes = (form.get("scope") ?? "").split(" ");
    const wanted = scopes.filter((scope) => scope.includes("/"));
    if (wanted.length === 0) return refuse("invalid_scope", "AADSTS70011");
    const token = form.get("refresh_token") ?? "";
    const grant = this.#grants.get(token);
    if (grant === undefined) return refuse("invalid_grant", "AADSTS70000");
    switch (grant.state) {
      case "revoked":
        return refuse("invalid_grant", "AADSTS50173");
      case "expired":
        return refuse("invalid_grant", "AADSTS700082");
      case "exchanged":
        if (this.refusesExchanged) return refuse("invalid_grant", "AADSTS70000");
        break;
      case "valid":
    }
    // Each permission by its name, or all that was consented to here.
    const { scopes: consented } = this.#callerFor(grant.user);
    const isConsented = (scope: string) => consented.has(scope.slice(scope.lastIndexOf("/") + 1));
    if (!wanted.every((scope) => scope === `${origin}/.default` || isConsented(scope))) {
      return refuse("invalid_grant", "AADSTS65001");
    }
    this.exchanges += 1;
    this.wanted.push(wanted);
    const renews = this.rotates && scopes.includes("offline_access");
    if (renews) grant.state = "exchanged";
    return this.#issue(this.#callerFor(grant.user), renews ? { refresh_token: this.#grant(grant.user) } : {});
  }

  #issue(caller: Caller, more: Record<string, string>): GraphAnswer {
    const access_token = `token-${this.#issued.push(caller)}`;
    return { status: 200, body: { token_type: "Bearer", expires_in: 3599, access_token, ...more } };
  }

  /** A token has everything that was consented to for its resource, whatever was asked for this time. */
  #callerFor(user: string): Caller {
    return {
      user,
      scopes: new Set([...(this.#consents.get(user) ?? []), ...this.adminConsents]),
      byCertificate: false,
    };
  }

  #consent(user: string, scopes: readonly string[]): void {
    this.#consents.set(user, new Set([...(this.#consents.get(user) ?? []), ...scopes]));
  }

  #grant(user: string): string {
    const token = `refresh-${randomUUID()}`;
    this.#grants.set(token, { user, state: "valid" });
    return token;
  }

  #require(userCode: string): DeviceRequest {
    const found = [...this.#requests.values()].find((request) => request.userCode === userCode);
    if (found === undefined) throw new Error(`no code "${userCode}" is waited for`);
    return found;
  }
}

function refuse(error: string, code: string, status = 400): GraphAnswer {
  return { status, body: { error, error_description: `${code}: refused. Trace ID: 0` } };
}

function refuseClient(tenant: FakeTenant, address: string, form: URLSearchParams): GraphAnswer | null {
  if (new URL(address).pathname.split("/")[1] !== tenant.id) return refuse("invalid_request", "AADSTS90002");
  if (form.get("client_id") !== tenant.clientId) return refuse("unauthorized_client", "AADSTS700016");
  return null;
}

/** As "Certificate credentials" asks: PS256, the thumbprint, this address as audience, the application as issuer. */
function isSignedByTenantsApp(tenant: FakeTenant, assertion: string, address: string): boolean {
  if (tenant.certificate === null) return false;
  const certificate = new X509Certificate(tenant.certificate);
  const [head = "", body = "", signature = ""] = assertion.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const [header, claims] = [read(head), read(body)];
  const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");
  if (header.alg !== "PS256" || header["x5t#S256"] !== thumbprint || claims.aud !== address) return false;
  if (claims.iss !== tenant.clientId || claims.sub !== tenant.clientId) return false;
  const key = { key: certificate.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
}
