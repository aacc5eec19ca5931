"use client";

import { Search, X } from "lucide-react";
import { useEffect, useState, type ComponentProps } from "react";
import { Input } from "#components/ui/input.tsx";
import { cn } from "#lib/class-names.ts";

const debounceMs = 200;

type SearchInputProps = Omit<ComponentProps<"input">, "value" | "onChange"> & {
  value: string;
  onChange(value: string): void;
  /** What is searched, for people who cannot see the magnifier. */
  label: string;
};

/** The page's search: `/` focuses the first one on a page; Escape empties it. Reports after a short pause in typing. */
export function SearchInput({ value, onChange, label, className, ...props }: SearchInputProps) {
  const [text, setText] = useState(value);
  const [reported, setReported] = useState(value);
  if (value !== reported) {
    setReported(value);
    setText(value);
  }
  useEffect(() => {
    if (text === reported) return;
    const timer = setTimeout(() => {
      setReported(text);
      onChange(text);
    }, debounceMs);
    return () => clearTimeout(timer);
  }, [text, reported, onChange]);

  return (
    <div className={cn("relative w-full sm:w-64", className)}>
      <Search className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" aria-hidden />
      <Input
        type="search"
        data-page-search
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && setText("")}
        className="px-8 [&::-webkit-search-cancel-button]:hidden"
        {...props}
      />
      {text && (
        <button
          type="button"
          aria-label="Clear search"
          className="absolute top-1 right-1 grid size-6 place-items-center rounded-control text-faint hover:text-ink"
          onClick={() => setText("")}
        >
          <X className="size-3.5" />
        </button>
      )}
    </div>
  );
}
