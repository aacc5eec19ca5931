import { expect, it } from "vitest";
import { packConfig, unpackConfig } from "./config-link.ts";
import { openModels } from "./open-models.ts";

it("brings every model's config.json back, in characters that need no escaping", async () => {
  for (const { config } of openModels) {
    const packed = await packConfig(config);
    expect(packed).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(packed.length).toBeLessThan(JSON.stringify(config).length);
    expect(await unpackConfig(packed)).toEqual(config);
  }
});

it("takes no text that it did not make", async () => {
  for (const text of ["", "%", "abc", "e30", "AAAA"]) expect(await unpackConfig(text)).toBeNull();
});

it("takes no list, and nothing that unpacks to megabytes", async () => {
  const list = await packConfig([1, 2] as unknown as Record<string, unknown>);
  expect(await unpackConfig(list)).toBeNull();
  const bomb = await packConfig({ text: "a".repeat(2_000_000) });
  expect(bomb.length).toBeLessThan(10_000);
  expect(await unpackConfig(bomb)).toBeNull();
});
