import { setTimeout as wait } from "node:timers/promises";

const pieces = 5;
const pauseMs = 400;

/** How long it takes until all is sent that drips; a quarter of it passes between two pieces. */
export const drippingMs = (pieces - 1) * pauseMs;

/** Sends something slowly but steadily. @returns when all of it is sent; what has fewer bytes than pieces is sent sooner */
export async function drip(bytes: Uint8Array, send: (piece: Uint8Array) => void): Promise<void> {
  const pieceBytes = Math.max(1, Math.ceil(bytes.byteLength / pieces));
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    if (at > 0) await wait(pauseMs);
    send(bytes.subarray(at, at + pieceBytes));
  }
}
