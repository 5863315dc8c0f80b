/** Input, or a place for output, that cannot be used: told in one line, and never a broken invariant of ours. */
export class BadInput extends Error {
  override readonly name = "BadInput";
}
