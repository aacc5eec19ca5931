import { expect, it } from "vitest";
import { memoryCells } from "./memory-cells.ts";

const draw = (...args: Parameters<typeof memoryCells>) =>
  memoryCells(...args)
    .map(({ bookingId, measured }) => (bookingId === null ? "." : measured ? bookingId.toUpperCase() : bookingId))
    .join("");

it("fills as many cells as the booking's share of the memory, darker where it was measured", () => {
  expect(
    draw(
      100,
      [
        { id: "a", predictedBytes: 40, measuredBytes: 20 },
        { id: "b", predictedBytes: 20, measuredBytes: null },
      ],
      10,
    ),
  ).toBe("AAaabb....");
});

it("shows a tiny booking, and stops at the node's memory", () => {
  expect(draw(1_000, [{ id: "a", predictedBytes: 1, measuredBytes: 1 }], 4)).toBe("A...");
  expect(draw(100, [{ id: "a", predictedBytes: 300, measuredBytes: null }], 4)).toBe("aaaa");
});

it("is all free without bookings", () => {
  expect(draw(100, [], 4)).toBe("....");
});
