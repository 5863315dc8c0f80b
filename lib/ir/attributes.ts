import type { Attribute, Attributes } from "./graph.ts";

/** What an attribute may hold, and what it is where nothing is said. */
export type AttributeKind =
  | { readonly kind: "boolean"; readonly default?: boolean }
  | { readonly kind: "number"; readonly default?: number }
  | { readonly kind: "numbers"; readonly default?: readonly number[] }
  | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default?: string };

/** Attributes that an operator takes, by name. */
export type AttributeSchema = Readonly<Record<string, AttributeKind>>;

type ValueOf<K extends AttributeKind> = K extends { kind: "boolean" }
  ? boolean
  : K extends { kind: "number" }
    ? number
    : K extends { kind: "numbers" }
      ? readonly number[]
      : K extends { kind: "choice"; choices: readonly (infer C)[] }
        ? C
        : never;

/** The attributes that fit a schema. */
export type AttributesOf<S extends AttributeSchema> = { readonly [Name in keyof S]: ValueOf<S[Name]> } & Attributes;

/**
 * Fills in defaults and checks names and kinds.
 *
 * @throws Error naming the operator and the attribute
 */
export function completeAttributes(operator: string, schema: AttributeSchema, given: Attributes): Attributes {
  for (const name of Object.keys(given)) {
    if (!(name in schema)) {
      const known = Object.keys(schema).join(", ") || "none";
      throw new Error(`${operator}: attributes must be known, got ${name}; this operator takes ${known}`);
    }
  }
  const complete: Record<string, Attribute> = {};
  for (const [name, kind] of Object.entries(schema)) {
    const value = given[name] ?? kind.default;
    if (value === undefined || !fits(kind, value)) {
      throw new Error(
        `${operator}: ${name} must be ${describe(kind)}, got ${JSON.stringify(value)}; give it as { ${name}: … }`,
      );
    }
    complete[name] = value;
  }
  return complete;
}

function fits(kind: AttributeKind, value: Attribute): boolean {
  switch (kind.kind) {
    case "numbers":
      return Array.isArray(value) && value.every((item) => typeof item === "number");
    case "choice":
      return typeof value === "string" && kind.choices.includes(value);
    default:
      return typeof value === kind.kind;
  }
}

function describe(kind: AttributeKind): string {
  switch (kind.kind) {
    case "numbers":
      return "a list of numbers";
    case "choice":
      return `one of ${kind.choices.join(", ")}`;
    default:
      return `a ${kind.kind}`;
  }
}
