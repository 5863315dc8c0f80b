/**
 * Why the lowest offsets of buffers are what they are: a stack of records, one for each time that an offset rose. A
 * record holds the offset, the record of the same buffer before it, and the reason: the set of decisions, named by their
 * depth in the search, from which the offset follows. Record 0 says that everything lies at 0 or above, which needs no
 * reason.
 */
export class BoundHistory {
  /** 32-bit words of a set of depths. */
  readonly words: number;
  #offsets = new Float64Array(1024);
  #before = new Int32Array(1024);
  #reasons: Int32Array;
  #length = 1;

  /** @param depths how deep the search goes at most */
  constructor(depths: number) {
    this.words = (depths + 31) >>> 5;
    this.#reasons = new Int32Array(1024 * this.words);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets the records that were added after the stack had this length. */
  shorten(length: number): void {
    this.#length = length;
  }

  /** Adds a record and returns its number. */
  add(offset: number, before: number, reason: Int32Array): number {
    const record = this.#length++;
    if (record === this.#offsets.length) this.#grow();
    this.#offsets[record] = offset;
    this.#before[record] = before;
    this.#reasons.set(reason, record * this.words);
    return record;
  }

  /**
   * Adds to a set of depths the reason why a buffer lies at an offset or above: that of its earliest record which says
   * so, which depends on the fewest decisions.
   *
   * @param record the last record of the buffer
   */
  explain(record: number, offset: number, into: Int32Array): void {
    if (offset <= 0 || record === 0) return;
    let earliest = record;
    for (let next = record; next !== 0 && this.#offsets[next] >= offset; next = this.#before[next]) earliest = next;
    const from = earliest * this.words;
    for (let word = 0; word < this.words; word++) into[word] |= this.#reasons[from + word];
  }

  #grow(): void {
    const offsets = new Float64Array(2 * this.#offsets.length);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const before = new Int32Array(offsets.length);
    before.set(this.#before);
    this.#before = before;
    const reasons = new Int32Array(offsets.length * this.words);
    reasons.set(this.#reasons);
    this.#reasons = reasons;
  }
}
