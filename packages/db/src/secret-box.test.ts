import { randomBytes } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createSecretBox } from "./secret-box.ts";

const key = randomBytes(32).toString("base64");
const secrets = { password: "correct horse" };

const codeOf = (work: () => unknown) => {
  try {
    work();
    return "opened";
  } catch (error) {
    return error instanceof AnnealError ? error.code : "another error";
  }
};

it("opens what it sealed, and never seals the same secret to the same bytes", () => {
  const box = createSecretBox(key);
  const sealed = box.seal(secrets, "source-1");
  expect(box.open(sealed, "source-1")).toEqual(secrets);
  expect(box.seal(secrets, "source-1").equals(sealed)).toBe(false);
  expect(sealed.includes("correct horse")).toBe(false);
});

it("stays shut for another purpose and for another key", () => {
  const sealed = createSecretBox(key).seal(secrets, "source-1");
  expect(codeOf(() => createSecretBox(key).open(sealed, "source-2"))).toBe("SOURCE_CREDENTIALS");
  const otherKey = randomBytes(32).toString("base64");
  expect(codeOf(() => createSecretBox(otherKey).open(sealed, "source-1"))).toBe("SOURCE_CREDENTIALS");
});

it("stays shut when any one bit was changed or the end was cut off", () => {
  const box = createSecretBox(key);
  const sealed = box.seal(secrets, "source-1");
  fc.assert(
    fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => box.open(changed, "source-1"))).toBe("SOURCE_CREDENTIALS");
    }),
  );
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), (length) => {
      expect(codeOf(() => box.open(sealed.subarray(0, length), "source-1"))).toBe("SOURCE_CREDENTIALS");
    }),
  );
});

it("refuses a key of another length", () => {
  expect(codeOf(() => createSecretBox("c2hvcnQ="))).toBe("INVALID_INPUT");
});
