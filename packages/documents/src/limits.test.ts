import { expect, it } from "vitest";
import { roomFor } from "./limits.ts";

const MiB = 1024 * 1024;

it("lets a parser take more memory, and a file inflate to more, as far as larger files are allowed", () => {
  const { limits, maxMemoryBytes } = roomFor(250 * MiB);
  expect([limits.maxBytes, limits.maxInflatedBytes, maxMemoryBytes]).toEqual([250 * MiB, 1280 * MiB, 2560 * MiB]);
});

it("takes nothing away where only smaller files are allowed", () => {
  const { limits, maxMemoryBytes } = roomFor(MiB);
  expect([limits.maxBytes, limits.maxInflatedBytes, maxMemoryBytes]).toEqual([MiB, 512 * MiB, 1024 * MiB]);
});
