import type { Operation, Value } from "../ir/index.ts";
import { elementCount, type Shape, sameShape } from "../tensor/index.ts";
import type { FusedStep, Ordered } from "./fused-step.ts";
import { loopRule } from "./rules/index.ts";
import type { Family } from "./rules/rule.ts";

/** A step that may still grow. */
export interface Draft {
  readonly operations: readonly Operation[];
  readonly family: Family;
  readonly space: Shape;
  /** Ids of what its operations make. */
  readonly values: ReadonlySet<number>;
}

/** How a step uses a storage that others may use as well. */
interface Access {
  readonly storage: number;
  readonly elements: number;
  /** Whether the element at a position is all that is needed for the result at that position. */
  readonly inPlace: boolean;
}

/** The steps so far, in the order of execution, with the checks that keep moved operations from seeing wrong bytes. */
export class Drafts {
  readonly #ordered: Ordered;
  /** Steps by position; null where one was absorbed. */
  readonly #drafts: (Draft | null)[] = [];
  readonly #producer = new Map<number, Draft>();
  /** Operations of which the result is the same everywhere and known: they are repeated where they are used. */
  readonly #constants = new Map<number, Operation>();
  readonly #sources = new Map<number, Value>();
  readonly #users = new Map<number, Operation[]>();
  readonly #outputs = new Set<number>();

  constructor(ordered: Ordered) {
    this.#ordered = ordered;
    const { operations, outputs } = ordered.graph;
    for (const { operator, inputs, outputs: results } of operations) {
      if (loopRule(operator).family === "view") this.#sources.set(results[0].id, this.sourceOf(inputs[0]));
    }
    for (const operation of operations) {
      if (loopRule(operation.operator).family === "view") continue;
      for (const input of operation.inputs) {
        const { id } = this.sourceOf(input);
        this.#users.set(id, [...(this.#users.get(id) ?? []), operation]);
      }
    }
    for (const { value } of outputs) this.#outputs.add(this.sourceOf(value).id);
  }

  /** The value whose bytes a view shows; the value itself if it is not a view. */
  sourceOf(value: Value): Value {
    return this.#sources.get(value.id) ?? value;
  }

  /** Remembers an operation that depends on nothing, if its result need not be stored; false for all others. */
  takeConstant(operation: Operation): boolean {
    const { family } = loopRule(operation.operator);
    const known = operation.inputs.every((input) => this.#constants.has(input.id));
    const wanted = operation.outputs.some((output) => this.#outputs.has(this.sourceOf(output).id));
    if ((family !== "map" && family !== "view") || !known || wanted) return false;
    for (const output of operation.outputs) this.#constants.set(output.id, operation);
    return true;
  }

  /** The steps that make an operation's operands, in order. */
  producersOf(operation: Operation): readonly Draft[] {
    const found = new Set<Draft>();
    for (const input of operation.inputs) {
      const draft = this.#producer.get(this.sourceOf(input).id);
      if (draft !== undefined) found.add(draft);
    }
    return [...found].sort((a, b) => this.#drafts.indexOf(a) - this.#drafts.indexOf(b));
  }

  /** The steps after a step, in order. */
  after(draft: Draft): readonly Draft[] {
    return this.#drafts.slice(this.#drafts.indexOf(draft) + 1).filter((other) => other !== null);
  }

  /** Adds a step with one operation at the end. */
  begin(operation: Operation): Draft {
    const { family } = loopRule(operation.operator);
    const space = family === "rows" ? operation.inputs[0].type.shape : operation.outputs[0].type.shape;
    const draft = this.#draft([operation], family, space);
    this.#drafts.push(draft);
    this.#own(draft);
    return draft;
  }

  /** Moves an operation up into a step; false, and nothing is done, if it would see or leave wrong bytes. */
  join(operation: Operation, draft: Draft): boolean {
    const position = this.#drafts.indexOf(draft);
    const written = operation.outputs.map((output) => this.#storage(output));
    for (const between of this.#drafts.slice(position + 1)) {
      if (between !== null && this.#accesses(between).some(({ storage }) => written.includes(storage))) return false;
    }
    const joined = this.#draft([...draft.operations, operation], draft.family, draft.space);
    if (!this.#isSound(joined)) return false;
    this.#replace(draft, joined);
    return true;
  }

  /** Moves a step of element-wise operations down into the only step that uses it; false if that cannot be. */
  absorb(from: Draft, into: Draft): boolean {
    // Joining replaced the step that the caller knows.
    const target = this.#current(into);
    const start = this.#drafts.indexOf(from);
    const end = this.#drafts.indexOf(target);
    if (from.family !== "map" || start < 0 || start >= end) return false;
    const inside = new Set([...from.operations, ...target.operations]);
    for (const id of from.values) {
      if (this.#outputs.has(id) || this.#users.get(id)?.some((user) => !inside.has(user))) return false;
    }
    const read = this.#reads(from).map(({ storage }) => storage);
    for (const between of this.#drafts.slice(start + 1, end)) {
      if (between !== null && this.#writes(between).some(({ storage }) => read.includes(storage))) return false;
    }
    const joined = this.#draft([...from.operations, ...target.operations], target.family, target.space);
    if (!this.#isSound(joined)) return false;
    this.#drafts[start] = null;
    this.#replace(target, joined);
    return true;
  }

  /** The steps as they stand, in order. */
  all(): readonly Draft[] {
    return this.#drafts.filter((draft) => draft !== null);
  }

  /** The operations that read a value or a view of it. */
  usersOf({ id }: Value): readonly Operation[] {
    return this.#users.get(id) ?? [];
  }

  /** The one step in which all users of a value are; undefined where there are several or none, or it goes outside. */
  onlyUserOf(value: Value): Draft | undefined {
    if (this.#outputs.has(value.id)) return undefined;
    const drafts = new Set(this.usersOf(value).map(({ outputs }) => this.#producer.get(outputs[0].id)));
    return drafts.size === 1 ? [...drafts][0] : undefined;
  }

  /** Whether nobody but one operation reads a value in a step or after it. */
  isDoneBefore(value: Value, into: Draft, but: Operation): boolean {
    const end = this.#drafts.indexOf(into);
    if (this.#outputs.has(this.sourceOf(value).id) || this.#constants.has(value.id)) return false;
    return this.usersOf(this.sourceOf(value)).every((user) => {
      const draft = this.#producer.get(user.outputs[0].id);
      return user === but || (draft !== undefined && this.#drafts.indexOf(draft) < end);
    });
  }

  /**
   * Moves an element-wise operation down into the only step that uses it. What is left of its step; null, and nothing is
   * done, if it would see wrong bytes there.
   */
  sink(operation: Operation, from: Draft, into: Draft): Draft | null {
    const start = this.#drafts.indexOf(from);
    const end = this.#drafts.indexOf(into);
    if (start < 0 || start >= end || from.operations.length === 1) return null;
    const left = this.#draft(
      from.operations.filter((other) => other !== operation),
      from.family,
      from.space,
    );
    const joined = this.#draft([operation, ...into.operations], into.family, into.space);
    const read = operation.inputs.filter(({ id }) => !this.#constants.has(id)).map((input) => this.sourceOf(input));
    // The operands must be stored, and stay what they are until then: in the step itself, too.
    if (read.some((value) => left.values.has(value.id) && !this.#isStored(value, from))) return null;
    const overwritten = (value: Value): boolean =>
      read.some((operand) => operand.id !== value.id && this.#storage(operand) === this.#storage(value));
    const writers = [left, ...this.#drafts.slice(start + 1, end)];
    if (writers.some((writer) => writer !== null && this.#stored(writer).some(overwritten))) return null;
    if (!this.#isSound(left) || !this.#isSound(joined)) return null;
    this.#replace(from, left);
    this.#replace(into, joined);
    return left;
  }

  /** The steps, with what each reads and writes. */
  finish(): FusedStep[] {
    return this.#drafts.filter((draft) => draft !== null).map((draft) => this.#finishStep(draft));
  }

  #finishStep(draft: Draft): FusedStep {
    const anchor = draft.operations.find(({ operator }) => loopRule(operator).family === draft.family);
    const { phase, layer } = anchor ?? draft.operations[0];
    const writes = this.#stored(draft);
    const reads = new Map<number, Value>();
    const constants = new Set<Operation>();
    for (const input of draft.operations.flatMap((operation) => operation.inputs)) {
      if (this.#constants.has(input.id)) this.#collectConstants(input, constants);
      else if (!draft.values.has(input.id)) reads.set(input.id, input);
    }
    return {
      name: draft.operations.map(({ operator }) => operator).join(" + "),
      phase,
      layer,
      operations: [...constants, ...draft.operations],
      reads: [...reads.values()],
      writes,
    };
  }

  #collectConstants(value: Value, into: Set<Operation>): void {
    const operation = this.#constants.get(value.id);
    if (operation === undefined) throw new Error(`internal: %${value.id} is not a constant`);
    for (const input of operation.inputs) this.#collectConstants(input, into);
    into.add(operation);
  }

  /**
   * Within one step elements are read and written in any order. So a storage that is written may be read only where the
   * same position is written. (Of values that share a storage at most one is kept: the others are dead by then.)
   */
  #isSound(draft: Draft): boolean {
    const reads = this.#reads(draft);
    return this.#writes(draft).every((write) =>
      reads.every(
        (read) => read.storage !== write.storage || (read.inPlace && write.inPlace && read.elements === write.elements),
      ),
    );
  }

  #accesses(draft: Draft): readonly Access[] {
    return [...this.#reads(draft), ...this.#writes(draft)];
  }

  #reads(draft: Draft): readonly Access[] {
    return draft.operations.flatMap(({ operator, inputs, outputs }) => {
      const { same, family } = loopRule(operator);
      const [{ shape }] = outputs.map((output) => output.type);
      return inputs
        .map((input, index) => ({ input, index }))
        .filter(({ input }) => !this.#constants.has(input.id) && !draft.values.has(input.id))
        .map(({ input, index }) => ({
          storage: this.#storage(input),
          elements: elementCount(input.type.shape),
          inPlace:
            family === "map" &&
            same.includes(index) &&
            sameShape(shape, draft.space) &&
            sameShape(input.type.shape, shape),
        }));
    });
  }

  #writes(draft: Draft): readonly Access[] {
    return this.#stored(draft).map((output) => ({
      storage: this.#storage(output),
      elements: elementCount(output.type.shape),
      inPlace: sameShape(output.type.shape, draft.space),
    }));
  }

  /** What a step makes and others need: the rest never leaves the registers. */
  #stored(draft: Draft): readonly Value[] {
    return draft.operations.flatMap(({ outputs }) => outputs).filter((output) => this.#isStored(output, draft));
  }

  /** Whether anything but the step itself needs a value. */
  #isStored({ id }: Value, { values }: Draft): boolean {
    if (this.#outputs.has(id)) return true;
    return this.#users.get(id)?.some(({ outputs }) => !values.has(outputs[0].id)) ?? false;
  }

  #storage(value: Value): number {
    return this.#ordered.storage.get(value.id) ?? value.id;
  }

  #draft(operations: readonly Operation[], family: Family, space: Shape): Draft {
    const values = new Set(operations.flatMap(({ outputs }) => outputs.map((output) => output.id)));
    return { operations, family, space, values };
  }

  #own(draft: Draft): void {
    for (const id of draft.values) this.#producer.set(id, draft);
  }

  #replace(old: Draft, draft: Draft): void {
    this.#drafts[this.#drafts.indexOf(old)] = draft;
    this.#own(draft);
  }

  #current(draft: Draft): Draft {
    const [id] = draft.values;
    return this.#producer.get(id) ?? draft;
  }
}
