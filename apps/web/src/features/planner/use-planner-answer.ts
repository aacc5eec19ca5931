"use client";

import { useEffect, useRef, useState } from "react";
import type { PlanAnswer } from "@anneal/sizing/plan/plan";
import type { PlannerAsk, PlannerReply } from "#features/planner/planner-messages.ts";
import type { BriefPreview } from "#features/planner/preview-brief.ts";

export type PlannerError = { code: string; message: string; details: Record<string, unknown> };
export type PlannerAnswer = {
  preview: BriefPreview | null;
  plans: PlanAnswer | null;
  error: PlannerError | null;
  /** What is shown belongs to an earlier brief; the answer to this one is being worked out. */
  pending: boolean;
};

const nothing: PlannerAnswer = { preview: null, plans: null, error: null, pending: true };

/**
 * Answers a brief in a worker. Only the newest brief is worked on next; until its answer is there the one before stays.
 * @param brief null while there is none to answer
 */
export function usePlannerAnswer(brief: Record<string, unknown> | null): PlannerAnswer {
  const [answer, setAnswer] = useState<PlannerAnswer>(nothing);
  const desk = useRef<Desk | null>(null);
  const key = brief === null ? null : JSON.stringify(brief);

  useEffect(() => {
    const opened = openDesk((reply) => {
      const pending = !opened.isNewest(reply.id);
      setAnswer((before) => {
        switch (reply.kind) {
          case "preview":
            return { ...before, preview: reply.preview, error: null };
          case "plans":
            return { ...before, plans: reply.answer, error: null, pending };
          case "error":
            return { ...nothing, error: reply.error, pending };
        }
      });
    });
    desk.current = opened;
    return () => {
      desk.current = null;
      opened.close();
    };
  }, []);

  useEffect(() => {
    if (key === null) return;
    setAnswer((before) => ({ ...before, pending: true }));
    desk.current?.ask(JSON.parse(key) as Record<string, unknown>);
  }, [key]);

  return answer;
}

type Desk = { ask(brief: Record<string, unknown>): void; isNewest(id: number): boolean; close(): void };

function openDesk(onReply: (reply: PlannerReply) => void): Desk {
  const worker = new Worker(new URL("./planner.worker.ts", import.meta.url), { type: "module" });
  let newest = 0;
  let next: PlannerAsk | null = null;
  let busy = false;
  const send = () => {
    busy = next !== null;
    if (next !== null) worker.postMessage(next);
    next = null;
  };
  worker.addEventListener("message", ({ data }: MessageEvent<PlannerReply>) => {
    onReply(data);
    if (data.kind !== "preview") send();
  });
  worker.addEventListener("error", () => {
    const message = "The planner could not be started in this browser.";
    onReply({ id: newest, kind: "error", error: { code: "INTERNAL", message, details: {} } });
  });
  return {
    ask(brief) {
      newest += 1;
      next = { id: newest, brief };
      if (!busy) send();
    },
    isNewest: (id) => id === newest,
    close: () => worker.terminate(),
  };
}
