/** Bad input to sizing. This package stands alone (it also runs in a browser), so it has an error of its own. */
export class SizingError extends Error {
  readonly code:
    | "UNKNOWN_ARCHITECTURE"
    | "UNKNOWN_GPU"
    | "UNKNOWN_ENGINE"
    | "DOES_NOT_DIVIDE"
    | "DOES_NOT_FIT"
    | "CONTRADICTORY_QUOTA"
    | "INVALID_REQUEST";
  readonly details: Record<string, unknown>;

  constructor(code: SizingError["code"], message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = "SizingError";
    this.code = code;
    this.details = details;
  }
}
