import { AnnealError } from "@anneal/core/errors";

/** What a service that gives no time is asked to be left alone for. */
const defaultWaitMs = 60_000;

type Said = {
  /** Who says so, at the start of a sentence. */
  place: string;
  /** For how long, or null where it does not say. */
  toldMs: number | null;
  details?: Record<string, unknown>;
  /** See `isVague`: `details.unexplained` tells the sync. */
  vague?: boolean;
  /** In place of the usual words, where there is more to say. */
  message?: string;
  action?: string;
};

/** A service says "not now". `details.retryAfterMs` is for the workflow to wait. */
export class RateLimited extends AnnealError {
  readonly #said: Said;

  constructor(said: Said) {
    const { place, toldMs, details, vague = false } = said;
    const wait = toldMs === null ? "" : ` ${Math.ceil(toldMs / 1000)} s`;
    super("RATE_LIMITED", said.message ?? `${place} asks to wait${wait}.`, {
      action: said.action ?? "The sync goes on by itself after the wait.",
      details: {
        ...details,
        retryAfterMs: toldMs ?? defaultWaitMs,
        ...(vague && toldMs === null ? { unexplained: true } : {}),
      },
      retryable: true,
    });
    this.#said = said;
  }

  get toldMs(): number | null {
    return this.#said.toldMs;
  }

  get waitMs(): number {
    return this.toldMs ?? defaultWaitMs;
  }

  /** The same, later: what is left of the wait. */
  after(leftMs: number): RateLimited {
    return new RateLimited({ ...this.#said, toldMs: leftMs });
  }
}
