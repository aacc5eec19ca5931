import { expect, it } from "vitest";
import { memoryCells } from "./memory-cells.ts";

const draw = (...args: Parameters<typeof memoryCells>) =>
  memoryCells(...args)
    .map(({ bookingKey, measured }) => (bookingKey === null ? "." : measured ? bookingKey.toUpperCase() : bookingKey))
    .join("");

it("fills as many cells as the booking's share of the memory, darker where it was measured", () => {
  expect(
    draw(
      100,
      [
        { key: "a", bookedBytes: 40, measuredBytes: 20 },
        { key: "b", bookedBytes: 20, measuredBytes: null },
      ],
      10,
    ),
  ).toBe("AAaabb....");
});

it("shows a tiny booking, and stops at the node's memory", () => {
  expect(draw(1_000, [{ key: "a", bookedBytes: 1, measuredBytes: 1 }], 4)).toBe("A...");
  expect(draw(100, [{ key: "a", bookedBytes: 300, measuredBytes: null }], 4)).toBe("aaaa");
});

it("is all free without bookings", () => {
  expect(draw(100, [], 4)).toBe("....");
});
