"use client";

import { ArrowUp, Square } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";

const maxChars = 4_000;
const maxHeightPx = 220;

type QuestionBoxProps = {
  label: string;
  placeholder: string;
  busy: boolean;
  disabled?: boolean;
  /** Stands at the lower left: what answers. */
  children?: ReactNode;
  onAsk(question: string): void;
  onStop(): void;
};

/** Enter asks, Shift+Enter makes a line, `/` comes here, Escape stops the answer. Grows with what is written. */
export function QuestionBox({ label, placeholder, busy, disabled, children, onAsk, onStop }: QuestionBoxProps) {
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const ready = text.trim() !== "" && !busy && !disabled;
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, maxHeightPx)}px`;
  }, [text]);

  function ask() {
    if (!ready) return;
    onAsk(text.trim());
    setText("");
  }
  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, Enter takes its suggestion.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      ask();
    }
  }
  return (
    <form
      className="rounded-panel border border-line-strong bg-panel focus-within:border-accent focus-within:outline-1 focus-within:outline-accent"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <textarea
        ref={area}
        data-page-search
        aria-label={label}
        placeholder={placeholder}
        rows={1}
        maxLength={maxChars}
        disabled={disabled}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className="block w-full resize-none bg-transparent px-3.5 pt-3 pb-1 text-[0.9375rem] leading-6 outline-none"
      />
      <div className="flex items-center gap-2 px-2 pb-2">
        <div className="min-w-0 flex-1">{children}</div>
        {busy ? (
          <Button size="small" onClick={onStop} aria-keyshortcuts="Escape" className="h-8">
            <Square aria-hidden className="size-3! fill-current" /> Stop
          </Button>
        ) : (
          <Button type="submit" variant="primary" size="icon" aria-label="Ask" disabled={!ready}>
            <ArrowUp />
          </Button>
        )}
      </div>
    </form>
  );
}
