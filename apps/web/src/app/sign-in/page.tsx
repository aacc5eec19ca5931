import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { SignIn } from "#features/access/sign-in.tsx";
import { oidcName } from "#server/auth/options.ts";
import { getSessionUser } from "#server/auth/session.ts";

export const metadata: Metadata = { title: "Sign in" };

type PageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> };

export default async function SignInPage({ searchParams }: PageProps) {
  const { next, callbackUrl, error } = await searchParams;
  const target = localPath(next) ?? localPath(callbackUrl) ?? "/";
  if (await getSessionUser()) redirect(target);
  return <SignIn target={target} oidcName={oidcName()} error={typeof error === "string" ? error : null} />;
}

/** Only paths of ours: a link to this page must not be able to send people elsewhere after they sign in. */
function localPath(value: string | string[] | undefined): string | null {
  if (typeof value !== "string") return null;
  const base = "http://anneal.invalid";
  const url = URL.parse(value, base);
  if (!url || url.origin !== base || /^\/[/\\]/.test(value)) return null;
  return url.pathname + url.search;
}
