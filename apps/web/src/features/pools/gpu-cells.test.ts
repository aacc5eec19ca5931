import { expect, it } from "vitest";
import { describeGpus, gpuCells } from "./gpu-cells.ts";

const whole = (...indices: number[]) => indices.map((index) => ({ index, milli: 1000 }));

it("fills each GPU by what holds it, and leaves the rest free", () => {
  const cells = gpuCells(3, [
    { key: "a", gpus: whole(0) },
    { key: "b", gpus: [{ index: 1, milli: 250 }] },
    { key: "c", gpus: [{ index: 1, milli: 500 }] },
  ]);
  expect(cells).toEqual([
    { index: 0, parts: [{ bookingKey: "a", milli: 1000 }], freeMilli: 0 },
    {
      index: 1,
      parts: [
        { bookingKey: "b", milli: 250 },
        { bookingKey: "c", milli: 500 },
      ],
      freeMilli: 250,
    },
    { index: 2, parts: [], freeMilli: 1000 },
  ]);
});

it("adds up several instances that one booking has on a GPU", () => {
  const slices = [
    { index: 0, milli: 125 },
    { index: 0, milli: 125 },
  ];
  expect(gpuCells(1, [{ key: "a", gpus: slices }])[0]).toMatchObject({
    parts: [{ bookingKey: "a", milli: 250 }],
    freeMilli: 750,
  });
});

it("names neighbours as a range, and shares with their size", () => {
  expect(describeGpus(whole(5, 0, 2, 1))).toBe("GPUs 0–2, 5");
  expect(describeGpus(whole(3))).toBe("GPU 3");
  expect(describeGpus([...whole(0), { index: 7, milli: 250 }])).toBe("GPU 0, 0.25 of GPU 7");
  expect(describeGpus([])).toBe("");
});
