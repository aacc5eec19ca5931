import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { judgeUnasked, nothingTried, rememberRefusal } from "#features/connect/unasked-checks.ts";
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
  /** Why it is not tried by itself: something is missing, nothing was changed, or trying could lock an account. */
  waits: "incomplete" | "unchanged" | "refused" | "spent" | null;
  /** Tries now what is entered. */
  run(): void;
};

/**
 * Tries a source as it is entered: when asked, and by itself once it is complete and nobody has typed for a second.
 * One try at a time: what is changed meanwhile ends the one that runs, also at the worker.
 */
export function useSourceCheck(draft: Draft, isComplete: boolean): SourceCheck {
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

  function run() {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    tried.current = entered;
    check.mutate(mine.signal, {
      onError: (error) => {
        const signsIn = [draft.secrets, draft.signInId, draft.sourceId].some((given) => given !== undefined);
        if (signsIn && wireErrorOf(error).code === "SOURCE_CREDENTIALS")
          setMemory((before) => rememberRefusal(before, entered));
      },
      onSettled: () => {
        if (running.current === mine) running.current = null;
      },
    });
  }

  const waits = whatItWaitsFor();
  const latest = useRef({ run, reset: check.reset });
  useEffect(() => {
    latest.current = { run, reset: check.reset };
  });

  function whatItWaitsFor(): SourceCheck["waits"] {
    if (entered === opened) return "unchanged";
    if (!isComplete) return "incomplete";
    const verdict = judgeUnasked(memory, entered);
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
      if (tried.current !== entered) latest.current.run();
    }, quietMs);
    return () => clearTimeout(timer);
  }, [entered, waits]);

  useEffect(() => () => running.current?.abort(), []);

  return {
    isPending: check.isPending,
    error: check.error && wireErrorOf(check.error),
    data: check.data,
    waits,
    run,
  };
}
