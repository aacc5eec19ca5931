import { formatDuration } from "#lib/format.ts";

export type SignInProblem = { code: string; message: string; action: string };

/** @param error next-auth's code, or one of ours: "wait:<seconds>", "no-email", "unverified", "offline". */
export function describeSignInError(error: string): SignInProblem {
  const waitSeconds = /^wait:(\d+)$/.exec(error)?.[1];
  if (waitSeconds)
    return {
      code: "RATE_LIMITED",
      message: "Too many attempts for this address.",
      action: `Wait ${formatDuration(Number(waitSeconds) * 1000)}, then try again.`,
    };
  switch (error) {
    case "CredentialsSignin":
      return {
        code: "UNAUTHENTICATED",
        message: "This e-mail address and password do not belong together.",
        action:
          "Check both, or use single sign-on where it is offered. The first administrator's password is in access.json, in the state folder of whoever runs Anneal; no other password can be looked up or reset.",
      };
    case "no-email":
      return {
        code: "FORBIDDEN",
        message: "Your identity provider did not say which e-mail address you have.",
        action: "Its administrator has to release the e-mail address to Anneal.",
      };
    case "unverified":
      return {
        code: "FORBIDDEN",
        message: "Your identity provider has not confirmed your e-mail address.",
        action:
          "Confirm it there, then sign in again. If it never says so of anybody, an administrator can trust it (ANNEAL_OIDC_TRUST_EMAIL).",
      };
    case "offline":
      return {
        code: "OFFLINE",
        message: "The server could not be reached.",
        action: "Check that Anneal is running, then try again.",
      };
    case "OAuthSignin":
    case "OAuthCallback":
    case "Callback":
      return {
        code: "UNAUTHENTICATED",
        message: "Single sign-on did not complete.",
        action:
          "Try again. If it fails again, an administrator should check the ANNEAL_OIDC_ settings and the redirect address.",
      };
    default:
      return {
        code: "INTERNAL",
        message: "Sign-in failed on our side.",
        action: "Try again; the server's log has the details.",
      };
  }
}
