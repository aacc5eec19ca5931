import type { PiiType } from "../policy.ts";

/**
 * A piece of personal or secret data, as a span of UTF-16 units [start, end). It carries no value, so that logging an
 * entity reveals nothing.
 */
export type PiiEntity = { type: PiiType; start: number; end: number; /** 0 to 1. */ score: number };

/** Context is read in this many characters before a candidate. */
const contextCharacters = 40;

export function textBefore(text: string, at: number): string {
  return text.slice(Math.max(0, at - contextCharacters), at);
}

/** True when neither neighbour continues the token: part of a longer number or identifier otherwise. */
export function standsAlone(text: string, start: number, end: number): boolean {
  return !/[\p{L}\p{N}_]/u.test(text.charAt(start - 1)) && !/[\p{L}\p{N}_]/u.test(text.charAt(end));
}

export function digitsOf(text: string): string {
  return text.replace(/\D/g, "");
}
