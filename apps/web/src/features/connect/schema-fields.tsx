"use client";

import { Switch } from "#components/ui/choice.tsx";
import { Field } from "#components/ui/form-field.tsx";
import { Input, Textarea } from "#components/ui/input.tsx";
import { Select } from "#components/ui/select.tsx";
import { exampleOf, parseJson, parseLines, parseNamed, textOfJson, textOfNamed } from "#features/connect/list-text.ts";
import type { ConfigProblem, JsonSchema } from "#server/connect/describe-kinds.ts";

export type FieldValues = Record<string, unknown>;

type SchemaFieldsProps = {
  schema: JsonSchema;
  values: FieldValues;
  onChange(values: FieldValues): void;
  /** Shown as dots and never filled in: for credentials. */
  secret?: boolean;
  /** Fields that only an administrator may change are shown, but not to be changed. */
  administrator: boolean;
  /** What is wrong: shown at the fields that somebody has filled in, and at those that what was entered asks for. */
  problems?: readonly ConfigProblem[];
};

/** A form drawn from a connector's own schema, so that a new connector needs no page. */
export function SchemaFields({ schema, values, onChange, secret, administrator, problems = [] }: SchemaFieldsProps) {
  const lacks = new Set(problems.filter(({ isLack }) => isLack === true).map(({ field }) => field));
  const problemOf = (name: string) =>
    lacks.has(name) || name in values ? problems.find(({ field }) => field === name)?.message : undefined;
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => (
    <SchemaField
      key={name}
      name={name}
      property={property}
      required={required.has(name) || lacks.has(name)}
      value={values[name]}
      onChange={(value) => onChange({ ...values, [name]: value })}
      secret={secret}
      disabled={property.administrator === true && !administrator && !isSwitchedFrom(property, values[name])}
      error={problemOf(name)}
    />
  ));
}

/** Everybody may switch back what an administrator switched, or chose of several values. */
function isSwitchedFrom({ default: usual, labels }: JsonSchema, value: unknown): boolean {
  return (typeof value === "boolean" || (typeof value === "string" && labels !== undefined)) && value !== usual;
}

type SchemaFieldProps = {
  name: string;
  property: JsonSchema;
  required: boolean;
  value: unknown;
  onChange(value: unknown): void;
  secret?: boolean;
  disabled: boolean;
  error: string | undefined;
};

function SchemaField({ name, property, required, value, onChange, secret, disabled, error }: SchemaFieldProps) {
  const label = property.title ?? name;
  const shape = shapeOf(property);
  const current = value === undefined ? property.default : value;
  const common = { label, hint: property.description, error, optional: !required && shape.kind !== "boolean" };
  switch (shape.kind) {
    case "boolean":
      return (
        <div className="flex items-start justify-between gap-4">
          <Field label={label} hint={property.description} error={error}>
            {(control) => (
              <Switch {...control} checked={current === true} disabled={disabled} onCheckedChange={onChange} />
            )}
          </Field>
        </div>
      );
    case "choice":
      return (
        <Field {...common}>
          {({ id, ...control }) => (
            <Select
              id={id}
              {...control}
              disabled={disabled}
              value={typeof current === "string" ? current : undefined}
              onChange={onChange}
              options={shape.options}
            />
          )}
        </Field>
      );
    case "lines":
      return (
        <TextListField
          {...common}
          hint={`${property.description ?? ""} One on each line.`.trim()}
          text={Array.isArray(current) ? current.join("\n") : ""}
          parse={parseLines}
          onChange={onChange}
          disabled={disabled}
        />
      );
    case "named":
      return (
        <TextListField
          {...common}
          hint={`${property.description ?? ""} One name on each line; to set more of one, JSON such as [{"name": "faq", "key": ["id"]}].`.trim()}
          text={textOfNamed(current)}
          parse={parseNamed}
          onChange={onChange}
          disabled={disabled}
        />
      );
    case "json":
      return (
        <TextListField
          {...common}
          hint={`${property.description ?? ""} As JSON, such as ${exampleOf(shape.items)}.`.trim()}
          text={textOfJson(current)}
          parse={parseJson}
          onChange={onChange}
          disabled={disabled}
        />
      );
    case "number":
    case "text":
      return (
        <Field {...common}>
          {(control) => (
            <Input
              {...control}
              type={secret ? "password" : shape.kind === "number" ? "number" : "text"}
              autoComplete="off"
              spellCheck={false}
              required={required}
              disabled={disabled}
              value={current == null ? "" : String(current)}
              onChange={(event) => onChange(parseText(event.target.value, shape))}
            />
          )}
        </Field>
      );
  }
}

type TextListFieldProps = {
  label: string;
  hint?: string;
  error: string | undefined;
  optional: boolean;
  /** What is set when the form opens; what is typed afterwards stays as it is typed. */
  text: string;
  parse(text: string): unknown;
  onChange(value: unknown): void;
  disabled: boolean;
};

function TextListField({ text, parse, onChange, disabled, ...field }: TextListFieldProps) {
  return (
    <Field {...field}>
      {(control) => (
        <Textarea
          {...control}
          disabled={disabled}
          spellCheck={false}
          className="font-mono"
          defaultValue={text}
          onChange={({ target }) => {
            const value = parse(target.value);
            // Text that was to be JSON and is not.
            target.setCustomValidity(typeof value === "string" ? "This is not JSON yet." : "");
            onChange(value);
          }}
        />
      )}
    </Field>
  );
}

type Shape =
  | { kind: "text" | "number"; nullable: boolean }
  | { kind: "boolean" | "lines" | "named" }
  | { kind: "json"; items: JsonSchema | undefined }
  | { kind: "choice"; options: { value: string; label: string }[] };

function shapeOf(property: JsonSchema): Shape {
  const nullable = property.anyOf?.some((each) => each.type === "null") ?? false;
  const core = property.anyOf?.find((each) => each.type !== "null") ?? property;
  if (core.enum?.every((each) => typeof each === "string")) {
    const { labels = {} } = property;
    return { kind: "choice", options: core.enum.map((value) => ({ value, label: labels[value] ?? value })) };
  }
  switch (core.type) {
    case "string":
      return { kind: "text", nullable };
    case "number":
    case "integer":
      return { kind: "number", nullable };
    case "boolean":
      return { kind: "boolean" };
    case "array":
      return shapeOfList(core.items);
    default:
      return { kind: "json", items: undefined };
  }
}

/** Entries that need no more than a name can be given by it. */
function shapeOfList(items: JsonSchema | undefined): Shape {
  if (items?.type === "string") return { kind: "lines" };
  return items?.required?.join() === "name" ? { kind: "named" } : { kind: "json", items };
}

function parseText(text: string, shape: { kind: "text" | "number"; nullable: boolean }): unknown {
  if (text === "") return shape.nullable ? null : undefined;
  return shape.kind === "number" ? Number(text) : text;
}
