import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import {
  judgeUnasked,
  nothingTried,
  rememberAddress,
  rememberAnswer,
  rememberSignIn,
} from "#features/connect/unasked-checks.ts";
import { useTRPCClient, type Answers } from "#lib/trpc.ts";
import { wireErrorOf, type WireError } from "#lib/wire-error.ts";

/** How long nothing is typed before what was typed is tried. */
const quietMs = 1_000;

type Draft = {
  kind: string;
  config: Record<string, unknown>;
  secrets?: Record<string, string>;
  signInId?: string;
  sourceId?: string;
};

export type SourceCheck = {
  isPending: boolean;
  error: WireError | null;
  data: Answers["connect"]["check"] | undefined;
  /** Why it is not tried by itself: what is missing, or what trying could do to an account. */
  waits: "incomplete" | "unchanged" | "refused" | "spent" | "moved" | null;
  /** Tries now what is entered, as somebody asks for. */
  run(): void;
  /** To be told of each change of a credential: it is meant for the address that stands there then. */
  onSecretsTyped(): void;
};

/**
 * Tries a source as it is entered: when asked, and by itself once it is complete and nobody has typed for a second.
 * One try at a time: what is changed meanwhile ends the one that runs, also at the worker.
 * @param address where the draft has credentials sent, as of `addressOf`
 */
export function useSourceCheck(draft: Draft, address: string, isComplete: boolean): SourceCheck {
  const client = useTRPCClient();
  const entered = JSON.stringify(draft);
  const [opened] = useState(entered);
  const [memory, setMemory] = useState(nothingTried);
  const running = useRef<AbortController | null>(null);
  /** What the result that is shown, or awaited, is about. */
  const tried = useRef<string | null>(null);
  const check = useMutation({
    meta: { inlineError: true },
    mutationFn: (signal: AbortSignal) => client.connect.checkDraft.mutate(draft, { signal }),
  });

  function send() {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    tried.current = entered;
    const signsIn = [draft.secrets, draft.signInId, draft.sourceId].some((given) => given !== undefined);
    if (signsIn) setMemory(rememberSignIn);
    check.mutate(mine.signal, {
      // Not called for one that was cut short, which stays counted.
      onSettled: (_, error) => {
        if (signsIn) setMemory((before) => rememberAnswer(before, entered, error && wireErrorOf(error).code));
        if (running.current === mine) running.current = null;
      },
    });
  }

  function meanThisAddress() {
    setMemory((before) => rememberAddress(before, address));
  }

  const waits = whatItWaitsFor();
  const latest = useRef({ send, reset: check.reset });
  useEffect(() => {
    latest.current = { send, reset: check.reset };
  });

  function whatItWaitsFor(): SourceCheck["waits"] {
    if (entered === opened) return "unchanged";
    if (!isComplete) return "incomplete";
    const verdict = judgeUnasked(memory, { entered, address: draft.secrets === undefined ? null : address });
    return verdict === "may" ? null : verdict;
  }

  // What was found is about what was entered then.
  useEffect(() => {
    if (tried.current === null || tried.current === entered) return;
    running.current?.abort();
    running.current = null;
    tried.current = null;
    latest.current.reset();
  }, [entered]);

  useEffect(() => {
    if (waits !== null) return;
    const timer = setTimeout(() => {
      if (tried.current !== entered) latest.current.send();
    }, quietMs);
    return () => clearTimeout(timer);
  }, [entered, waits]);

  useEffect(() => () => running.current?.abort(), []);

  return {
    isPending: check.isPending,
    error: check.error && wireErrorOf(check.error),
    data: check.data,
    waits,
    run() {
      meanThisAddress();
      send();
    },
    onSecretsTyped: meanThisAddress,
  };
}
