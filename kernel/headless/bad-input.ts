/** Input that cannot be used: a person's mistake, told in one line, never a broken invariant of ours. */
export class BadInput extends Error {
  override readonly name = "BadInput";
}
