"use client";

import { signIn } from "next-auth/react";
import { useState, type FormEvent } from "react";
import { Wordmark } from "#components/shell/wordmark.tsx";
import { Button } from "#components/ui/button.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input } from "#components/ui/input.tsx";
import { describeSignInError, type SignInProblem } from "#features/access/sign-in-errors.ts";

type SignInProps = { target: string; oidcName: string | null; error: string | null };

export function SignIn({ target, oidcName, error }: SignInProps) {
  const [problem, setProblem] = useState<SignInProblem | null>(error ? describeSignInError(error) : null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setProblem(null);
    const result = await signIn("credentials", {
      redirect: false,
      email: String(form.get("email")),
      password: String(form.get("password")),
    }).catch(() => undefined);
    // A full load, so that the server renders the first page for the new session.
    if (result?.ok) return window.location.assign(target);
    setProblem(describeSignInError(result?.error ?? "offline"));
    setBusy(false);
  }

  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex justify-center">
          <Wordmark />
        </div>
        <div className="rounded-panel border border-line bg-panel p-6">
          <h1 className="mb-5 text-sm font-semibold">Sign in to your workspace</h1>
          {problem && <ErrorNotice error={problem} className="mb-5" />}
          {oidcName && (
            <>
              <Button
                variant="primary"
                size="large"
                className="w-full"
                onClick={() => void signIn("oidc", { callbackUrl: target })}
              >
                Continue with {oidcName}
              </Button>
              <div className="my-5 flex items-center gap-3 text-xs text-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
                or with a password
              </div>
            </>
          )}
          <form method="post" className="space-y-4" onSubmit={(event) => void submit(event)}>
            <Field label="E-mail">
              {(control) => (
                <Input
                  {...control}
                  name="email"
                  type="email"
                  autoComplete="username"
                  required
                  autoFocus
                  className="h-10 text-sm"
                />
              )}
            </Field>
            <Field label="Password">
              {(control) => (
                <Input
                  {...control}
                  name="password"
                  type="password"
                  autoComplete="current-password"
                  required
                  className="h-10 text-sm"
                />
              )}
            </Field>
            <Button
              type="submit"
              variant={oidcName ? "secondary" : "primary"}
              size="large"
              className="w-full"
              busy={busy}
            >
              Sign in
            </Button>
          </form>
        </div>
        <p className="mt-4 text-center text-xs text-balance text-muted">
          The first administrator's sign-in was printed when Anneal started. Everyone else gets theirs from an
          administrator.
        </p>
      </div>
    </main>
  );
}
