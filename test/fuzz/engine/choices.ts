/*
 * An input read as a list of decisions, for targets whose inputs are no bytes: options, answers that lie. An input that
 * ends decides 0 from then on, so that shorter inputs are simpler ones.
 */

export class Choices {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get spent(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** A whole number from 0 to `limit` − 1 (`limit` up to 65,536). */
  below(limit: number): number {
    return (limit > 256 ? this.byte() * 256 + this.byte() : this.byte()) % limit;
  }

  /** True once in so many, and never when the input has ended. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  pick<T>(values: readonly T[]): T {
    // The index is in range.
    return values[this.below(values.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte());
  }

  /** Any text, lone surrogates and all. */
  text(maxLength: number): string {
    const length = this.below(maxLength + 1);
    return String.fromCharCode(
      ...Array.from({ length }, () => (this.oneIn(4) ? this.below(0x10000) : this.below(128))),
    );
  }
}

/** Bytes as UTF-16 that may be malformed, as JavaScript's strings may be. */
export function anyText(bytes: Uint8Array): string {
  const even = bytes.subarray(0, bytes.length & ~1);
  const units = new Uint16Array(even.slice().buffer);
  let text = '';
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}

/** The bytes that {@link anyText} reads. */
export function textBytes(text: string): Uint8Array {
  const units = Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return new Uint8Array(units.buffer);
}
