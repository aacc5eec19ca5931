"use client";

import { useMutation } from "@tanstack/react-query";
import { CircleCheck, ExternalLink, LoaderCircle, LogIn } from "lucide-react";
import { useEffect, useState, type RefObject } from "react";
import { Button } from "#components/ui/button.tsx";
import { CopyButton } from "#components/ui/copy-button.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import type { FieldValues } from "#features/connect/schema-fields.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type SignInProps = {
  kind: string;
  /** Whose account: "Microsoft". */
  vendor: string;
  config: FieldValues;
  sourceId: string | undefined;
  /** An earlier sign-in is stored and stays until there is another one. */
  kept: boolean;
  signedIn: boolean;
  /** The form was sent off without it. */
  missing: boolean;
  /** null once what was signed in for has been given up. */
  onSignedIn(signInId: string | null): void;
  /** Its fields must be filled in first: they say where to sign in. */
  form: RefObject<HTMLFormElement | null>;
};

/** Signs a person in with a code that they enter at the vendor's own page; nothing of it but the code comes here. */
export function SignIn({ kind, vendor, config, sourceId, kept, signedIn, missing, onSignedIn, form }: SignInProps) {
  const trpc = useTRPC();
  const begin = useMutation(
    trpc.connect.beginSignIn.mutationOptions({ meta: { inlineError: true }, onMutate: () => onSignedIn(null) }),
  );
  const waits = begin.data !== undefined && !signedIn;
  const { account, error, reset } = useSignInEnd(
    waits ? begin.data.signInId : null,
    begin.data?.intervalMs,
    onSignedIn,
  );
  const failed = begin.error ?? error;
  const report = failed === null ? null : wireErrorOf(failed);
  const start = () => {
    if (!form.current?.reportValidity()) return;
    reset();
    begin.mutate({ kind, config, ...(sourceId === undefined ? {} : { sourceId }) });
  };
  return (
    <section aria-label="Sign-in" className="space-y-3 border-t border-line pt-5">
      <p className="text-13 text-muted">
        The source reads what the account that signs in may read. What the sign-in brings is encrypted before it is
        stored and never comes to this page.
        {kept && " The sign-in that is stored stays until somebody signs in again."}
      </p>
      {report && <ErrorNotice error={report} />}
      {waits && !report && <Code begun={begin.data} vendor={vendor} />}
      {signedIn && (
        <p role="status" className="flex items-center gap-2 text-13 font-medium">
          <CircleCheck aria-hidden className="size-4 text-ready" /> Signed in{account && ` as ${account}`}.
        </p>
      )}
      <Button busy={begin.isPending} onClick={start}>
        {!begin.isPending && <LogIn aria-hidden />}
        {waits ? "Get another code" : signedIn || kept ? "Sign in again" : `Sign in with ${vendor}`}
      </Button>
      {missing && !waits && (
        <p role="alert" className="text-xs text-failed">
          Sign in first.
        </p>
      )}
    </section>
  );
}

function Code({ begun, vendor }: { begun: Answers["connect"]["beginSignIn"]; vendor: string }) {
  return (
    <div className="space-y-3 rounded-panel border border-line bg-sunken p-4">
      <p className="text-13">
        Open{" "}
        <a
          href={begun.verificationUri}
          target="_blank"
          rel="noreferrer"
          className="inline-flex items-center gap-1 text-accent underline underline-offset-4"
        >
          {begun.verificationUri} <ExternalLink aria-hidden className="size-3.5" />
        </a>{" "}
        and enter this code:
      </p>
      <p className="flex items-center gap-2">
        <code className="font-mono text-xl font-semibold tracking-widest">{begun.userCode}</code>
        <CopyButton text={begun.userCode} label="Copy the code" />
      </p>
      <p role="status" className="flex items-center gap-2 text-13 text-muted">
        <LoaderCircle aria-hidden className="size-4 animate-spin" /> Waiting for {vendor}; the code counts until{" "}
        {begun.expiresAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}.
      </p>
    </div>
  );
}

/** Asks as often as the vendor wants to be asked, until the person is done or cannot be any more. */
function useSignInEnd(
  signInId: string | null,
  intervalMs: number | undefined,
  onSignedIn: (signInId: string) => void,
): { account: string | null; error: unknown; reset(): void } {
  const trpc = useTRPC();
  const [account, setAccount] = useState<string | null>(null);
  const { mutate, data, error, reset, isPending } = useMutation(
    trpc.connect.pollSignIn.mutationOptions({
      meta: { inlineError: true },
      onSuccess: (progress, asked) => {
        if (progress.status !== "done") return;
        setAccount(progress.account);
        onSignedIn(asked.signInId);
      },
    }),
  );
  const waitMs = data?.status === "waiting" ? data.retryInMs : intervalMs;
  useEffect(() => {
    if (signInId === null || isPending || error) return undefined;
    const timer = setTimeout(() => mutate({ signInId }), waitMs);
    return () => clearTimeout(timer);
  }, [signInId, isPending, error, waitMs, data, mutate]);
  return { account, error, reset };
}
