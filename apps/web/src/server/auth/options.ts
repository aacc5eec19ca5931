import type { AuthOptions } from "next-auth";
import Credentials from "next-auth/providers/credentials";
import type { OAuthConfig } from "next-auth/providers/oauth";
import { findUserByEmail, saveUser } from "@anneal/db/queries/access";
import { env } from "#env.ts";
import { createAttemptLimiter } from "#server/auth/attempt-limiter.ts";
import { recordFailedSignIn, recordSignIn } from "#server/auth/record-sign-in.ts";
import { verifyPassword } from "@anneal/db/password";
import { database } from "#server/database.ts";

const sessionDays = 14;
const attempts = createAttemptLimiter();

/** The sign-in page reads these from next-auth's `error`. */
export const signInErrors = { wait: "wait" } as const;

/** @param client the address that the request is said to come from, for the record of who signs in */
export function authOptions(client: string | null = null): AuthOptions {
  const { NEXTAUTH_SECRET } = env();
  const oidc = oidcProvider();
  return {
    secret: NEXTAUTH_SECRET,
    session: { strategy: "jwt", maxAge: sessionDays * 86_400 },
    pages: { signIn: "/sign-in", error: "/sign-in" },
    providers: [passwordProvider(client), ...(oidc ? [oidc] : [])],
    callbacks: {
      async signIn({ account, profile, user }) {
        if (account?.provider !== "oidc") return true;
        const claims = profile as OidcProfile | undefined;
        const attempt = { email: claims?.email ?? "", by: "single sign-on" as const, client };
        if (!claims?.email) {
          recordFailedSignIn(database(), attempt, "NO_EMAIL");
          return "/sign-in?error=no-email";
        }
        // An address is who somebody is here. Some providers leave the claim out, some send it as a text.
        if (String(claims.email_verified ?? env().ANNEAL_OIDC_TRUST_EMAIL) !== "true") {
          recordFailedSignIn(database(), attempt, "UNVERIFIED");
          return "/sign-in?error=unverified";
        }
        const known = await findUserByEmail(database(), claims.email);
        const row =
          known ??
          (await saveUser(database(), { email: claims.email, name: claims.name ?? claims.email, passwordHash: null }));
        user.id = row.id;
        await recordSignIn(database(), row.id, { ...attempt, email: row.email });
        return true;
      },
      jwt({ token, user }) {
        if (user) token.sub = user.id;
        return token;
      },
    },
  };
}

function passwordProvider(client: string | null) {
  return Credentials({
    credentials: { email: {}, password: {} },
    async authorize(credentials) {
      const email = credentials?.email?.trim().toLowerCase() ?? "";
      const password = credentials?.password ?? "";
      if (!email || !password || password.length > 1_000) return null;
      const attempt = { email, by: "password" as const, client };
      const waitMs = attempts.waitMs(email, Date.now());
      if (waitMs > 0) recordFailedSignIn(database(), attempt, "RATE_LIMITED");
      if (waitMs > 0) throw new Error(`${signInErrors.wait}:${Math.ceil(waitMs / 1000)}`);
      // Counted before the slow comparison, so that parallel guesses count too.
      attempts.recordFailure(email, Date.now());
      const user = await findUserByEmail(database(), email);
      if (!(await verifyPassword(password, user?.passwordHash)) || !user) {
        recordFailedSignIn(database(), attempt, "UNAUTHENTICATED");
        return null;
      }
      attempts.clear(email);
      await recordSignIn(database(), user.id, attempt);
      return { id: user.id, email: user.email, name: user.name };
    },
  });
}

type OidcProfile = { sub: string; email?: string; email_verified?: boolean | string | null; name?: string };

function oidcProvider(): OAuthConfig<OidcProfile> | null {
  const { ANNEAL_OIDC_ISSUER, ANNEAL_OIDC_CLIENT_ID, ANNEAL_OIDC_CLIENT_SECRET } = env();
  if (!ANNEAL_OIDC_ISSUER || !ANNEAL_OIDC_CLIENT_ID) return null;
  return {
    id: "oidc",
    name: new URL(ANNEAL_OIDC_ISSUER).hostname,
    type: "oauth",
    wellKnown: `${ANNEAL_OIDC_ISSUER.replace(/\/$/, "")}/.well-known/openid-configuration`,
    clientId: ANNEAL_OIDC_CLIENT_ID,
    clientSecret: ANNEAL_OIDC_CLIENT_SECRET,
    authorization: { params: { scope: "openid email profile" } },
    checks: ["pkce", "state", "nonce"],
    idToken: true,
    userinfo: {
      // OpenID Connect Core 5.4: with the code flow a provider may keep e-mail and name out of the ID token.
      async request({ client, tokens }) {
        // With the whole set, and not the access token alone, the client checks that both speak of the same person.
        const set = tokens as Exclude<Parameters<typeof client.userinfo>[0], string>;
        const hasUserinfo = client.issuer.metadata.userinfo_endpoint !== undefined;
        return hasUserinfo ? { ...set.claims(), ...(await client.userinfo(set)) } : set.claims();
      },
    },
    profile: (claims) => ({ id: claims.sub, email: claims.email ?? null, name: claims.name ?? claims.email ?? null }),
  };
}

/** The name of the configured single sign-on, for the button; null without one. */
export function oidcName(): string | null {
  return oidcProvider()?.name ?? null;
}
