"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { advanceAnswer, beginAnswer, type LiveAnswer } from "#features/chat/live-answer.ts";
import { readEventStream } from "#lib/read-event-stream.ts";
import { wireErrorOf, wireErrorSchema, type WireError } from "#lib/wire-error.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import type { ConverseEvent } from "#server/chat/converse.ts";

type Asked = {
  question: string;
  assistant: { id: string; name: string };
  conversationId: string | null;
  retryMessageId?: string;
  trial?: boolean;
};

/** Asks a question and follows its answer. One at a time: a new question leaves the one before to the server. */
export function useAnswer(onEvent?: (event: ConverseEvent) => void) {
  const { slug } = useWorkspace();
  const [answer, setAnswer] = useState<LiveAnswer | null>(null);
  const reading = useRef<AbortController | null>(null);
  const asked = useRef<Asked | null>(null);
  const listener = useRef(onEvent);
  useEffect(() => {
    listener.current = onEvent;
  }, [onEvent]);
  useEffect(() => () => reading.current?.abort(), []);

  const ask = useCallback(
    async (request: Asked) => {
      const { question, assistant, conversationId, retryMessageId, trial = false } = request;
      asked.current = request;
      reading.current?.abort();
      const abort = new AbortController();
      reading.current = abort;
      setAnswer(beginAnswer(question, assistant.name, conversationId));
      const advance = (event: ConverseEvent) => {
        if (abort.signal.aborted) return;
        setAnswer((current) => current && advanceAnswer(current, event));
        listener.current?.(event);
      };
      try {
        const response = await fetch(`/api/w/${slug}/chat`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ conversationId, assistantId: assistant.id, question, retryMessageId, trial }),
          signal: abort.signal,
        });
        if (!response.ok || !response.body) return advance({ type: "error", report: await reportOf(response) });
        let ended = false;
        for await (const event of readEventStream<ConverseEvent>(response.body)) {
          ended ||= event.type === "final" || event.type === "error";
          advance(event);
        }
        if (!ended) advance({ type: "error", report: brokenLine });
      } catch (error) {
        advance({ type: "error", report: wireErrorOf(error) });
      }
    },
    [slug],
  );

  /** For a question that failed before it was stored. */
  const askAgain = useCallback(() => {
    if (asked.current) void ask(asked.current);
  }, [ask]);

  /** Stops reading. The server ends a trial then; a stored answer it ends by `chat.stop` only. */
  const leave = useCallback(() => {
    reading.current?.abort();
    setAnswer(null);
  }, []);

  return { answer, ask, askAgain, leave };
}

const brokenLine: WireError = {
  code: "OFFLINE",
  message: "The connection broke while the answer came.",
  action: "The answer is finished without it; reload the page in a moment.",
  id: null,
};

async function reportOf(response: Response): Promise<WireError> {
  const body: unknown = await response.json().catch(() => null);
  const carried = typeof body === "object" && body !== null && "report" in body ? body.report : null;
  return wireErrorSchema.safeParse(carried).data ?? wireErrorOf(null);
}
