import { SizingError } from "../sizing-error.ts";

/**
 * The fields of one config.json (or of a section of it). A field that is missing or of another kind than expected is an
 * error that names it; null counts as missing, as in Hugging Face's own files.
 */
export class ConfigFields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(values: unknown, path = "") {
    if (typeof values !== "object" || values === null || Array.isArray(values)) {
      throw new SizingError(
        "UNKNOWN_ARCHITECTURE",
        `${path === "" ? "The model" : `The field ${path}`} must be the JSON object of a Hugging Face config.json.`,
        { field: path || "model" },
      );
    }
    this.#values = { ...values };
    this.#path = path;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  /** The first of the names that is present, as a positive whole number. */
  integer(...names: [string, ...string[]]): number {
    return this.optionalInteger(...names) ?? this.missing(names[0]);
  }

  integerOr(fallback: number, ...names: [string, ...string[]]): number {
    return this.optionalInteger(...names) ?? fallback;
  }

  optionalInteger(...names: [string, ...string[]]): number | null {
    const name = names.find((each) => this.has(each));
    if (name === undefined) return null;
    const value = this.#values[name];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value <= 0 || value > 1e9) {
      return this.wrong(name, "a positive whole number");
    }
    return value;
  }

  /** Zero is a value here: the number of shared experts, of dense layers, an index. */
  count(fallback: number | null, ...names: [string, ...string[]]): number {
    const name = names.find((each) => this.has(each));
    if (name === undefined) return fallback ?? this.missing(names[0]);
    return this.#values[name] === 0 ? 0 : this.integer(name);
  }

  number(fallback: number, name: string): number {
    if (!this.has(name)) return fallback;
    const value = this.#values[name];
    return typeof value === "number" && Number.isFinite(value) ? value : this.wrong(name, "a number");
  }

  boolean(fallback: boolean, ...names: [string, ...string[]]): boolean {
    const name = names.find((each) => this.has(each));
    if (name === undefined) return fallback;
    const value = this.#values[name];
    return typeof value === "boolean" ? value : this.wrong(name, "true or false");
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.missing(name);
  }

  optionalText(name: string): string | null {
    if (!this.has(name)) return null;
    const value = this.#values[name];
    return typeof value === "string" ? value : this.wrong(name, "a text");
  }

  list(name: string): readonly unknown[] | null {
    if (!this.has(name)) return null;
    const value = this.#values[name];
    return Array.isArray(value) ? value : this.wrong(name, "a list");
  }

  texts(name: string): readonly string[] | null {
    const list = this.list(name);
    if (list === null) return null;
    return list.map((each) => (typeof each === "string" ? each : this.wrong(name, "a list of texts")));
  }

  integers(name: string): readonly number[] | null {
    const list = this.list(name);
    if (list === null) return null;
    return list.map((each) =>
      typeof each === "number" && Number.isSafeInteger(each) ? each : this.wrong(name, "a list of whole numbers"),
    );
  }

  section(name: string): ConfigFields | null {
    return this.has(name) ? new ConfigFields(this.#values[name], this.#name(name)) : null;
  }

  is(name: string, value: string): boolean {
    return this.#values[name] === value;
  }

  isText(name: string): boolean {
    return typeof this.#values[name] === "string";
  }

  names(): readonly string[] {
    return Object.keys(this.#values);
  }

  /** The same fields, those of another object in their place where it has them. */
  with(values: Readonly<Record<string, unknown>>): ConfigFields {
    return new ConfigFields({ ...this.#values, ...values }, this.#path);
  }

  /** The same fields, and those of another object where they are missing. */
  underlay(values: Readonly<Record<string, unknown>>): ConfigFields {
    const known = Object.entries(this.#values).filter(([name]) => this.has(name));
    return new ConfigFields({ ...values, ...Object.fromEntries(known) }, this.#path);
  }

  /** A width in pixels: a number, or a square pair of them. */
  size(name: string): number {
    const [width, height] = Array.isArray(this.#values[name]) ? (this.integers(name) ?? []) : [];
    if (width === undefined) return this.integer(name);
    return width === height && width > 0 ? width : this.wrong(name, "a width, or two equal ones");
  }

  missing(name: string): never {
    throw new SizingError(
      "UNKNOWN_ARCHITECTURE",
      `The model's config.json lacks the field ${this.#name(name)}, which its architecture needs.`,
      { field: this.#name(name) },
    );
  }

  wrong(name: string, expected: string): never {
    const value = JSON.stringify(this.#values[name])?.slice(0, 80);
    throw new SizingError(
      "UNKNOWN_ARCHITECTURE",
      `The field ${this.#name(name)} of the model's config.json is ${value}; it must be ${expected}.`,
      { field: this.#name(name), value: this.#values[name] },
    );
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}
