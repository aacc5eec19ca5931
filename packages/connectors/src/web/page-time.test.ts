import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PageTime } from "./page-time.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("stands still until all that was waited for has come", () => {
  const time = new PageTime(new AbortController().signal, Infinity);
  const ended = vi.fn<() => void>();
  time.after(1000, ended);
  vi.advanceTimersByTime(600);
  const first = time.pause();
  const second = time.pause();
  vi.advanceTimersByTime(10_000);
  first();
  first();
  vi.advanceTimersByTime(10_000);
  second();
  vi.advanceTimersByTime(399);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledOnce();
});

it("calls once what has ended, and nothing after the page", () => {
  const page = new AbortController();
  const time = new PageTime(page.signal, Infinity);
  const [ended, never] = [vi.fn<() => void>(), vi.fn<() => void>()];
  time.after(1000, ended);
  time.after(2000, never);
  vi.advanceTimersByTime(1500);
  const goOn = time.pause();
  page.abort();
  goOn();
  vi.advanceTimersByTime(10_000);
  expect(ended).toHaveBeenCalledOnce();
  expect(never).not.toHaveBeenCalled();
});
