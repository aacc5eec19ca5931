import { expect, it } from "vitest";
import { durationOf, readRequestTrace, scaleTrace } from "./request-trace.ts";
import { synthesizeTrace, traceShapes } from "./synthetic-trace.ts";

/** The first lines of the Azure LLM inference trace of 2023, conversations (Azure/AzurePublicDataset, CC-BY 4.0), out of order. */
const csv = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:51.2224670,879,55
`;

it("reads the format of the Azure traces, in the order of the arrivals", () => {
  const trace = readRequestTrace(csv);
  expect(trace.startAt).toBeCloseTo(Date.UTC(2023, 10, 16, 18, 15, 46) / 1000 + 0.68059, 5);
  expect([...trace.arrivals].map((at) => at.toFixed(3))).toEqual(["0.000", "4.315", "4.542"]);
  expect([...trace.promptTokens]).toEqual([374, 396, 879]);
  expect([...trace.outputTokens]).toEqual([44, 109, 55]);
});

it("reads columns in another order, time zones, and line ends of Windows", () => {
  const other =
    "GeneratedTokens,TIMESTAMP,ContextTokens\r\n5,2024-05-10T00:00:01.5+00:00,7\r\n6,2024-05-10 00:00:00Z,8\r\n";
  const trace = readRequestTrace(other);
  expect([...trace.promptTokens]).toEqual([8, 7]);
  expect(durationOf(trace)).toBeCloseTo(1.5);
});

it("names the line that it cannot read, and what would be right", () => {
  expect(() => readRequestTrace("")).toThrow(/first line must name the columns/);
  expect(() => readRequestTrace("TIMESTAMP,ContextTokens,GeneratedTokens\n")).toThrow(/holds no request/);
  expect(() => readRequestTrace(`${csv}yesterday,1,2\n`)).toThrow(/Line 5 of the trace is "yesterday,1,2"/);
  expect(() => readRequestTrace(`${csv}2023-11-16 18:15:52.0,-1,2\n`)).toThrow(/Line 5/);
  expect(() => scaleTrace(readRequestTrace(csv), 0, 1)).toThrow(/scale is 0/);
});

it("scales the rate without changing where traffic is, the same for the same seed", () => {
  const trace = synthesizeTrace({ shape: "steps", hours: 1, rate: 2, seed: 3 });
  const scaled = scaleTrace(trace, 7.5, 1);
  expect(scaled.arrivals.length / trace.arrivals.length).toBeCloseTo(7.5, 1);
  expect(durationOf(scaled)).toBeLessThanOrEqual(durationOf(trace));
  expect([...scaled.arrivals]).toEqual([...scaled.arrivals].toSorted((left, right) => left - right));
  const half = (of: typeof trace) => of.arrivals.filter((at) => at < durationOf(trace) / 2).length / of.arrivals.length;
  expect(half(scaled)).toBeCloseTo(half(trace), 1);
  expect(scaleTrace(trace, 7.5, 1)).toEqual(scaled);
  expect(scaleTrace(trace, 0.25, 1).arrivals.length).toBeCloseTo(trace.arrivals.length / 4, -3);
});

it.each(traceShapes)("makes %s traffic of the rate and the lengths that were asked for", (shape) => {
  const trace = synthesizeTrace({ shape, hours: 48, rate: 0.5, seed: 5, promptTokens: 500, outputTokens: 50 });
  expect(trace.arrivals.length / (48 * 3600)).toBeCloseTo(0.5, 1);
  expect(trace.promptTokens.reduce((sum, tokens) => sum + tokens, 0) / trace.arrivals.length).toBeCloseTo(500, -2);
  expect(trace).toEqual(synthesizeTrace({ shape, hours: 48, rate: 0.5, seed: 5, promptTokens: 500, outputTokens: 50 }));
});
