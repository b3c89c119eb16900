import { bytesText, plain } from './output.js';
import { type Output } from './io.js';

/** Redrawn at most so often. */
const intervalMs = 100;
/** Nothing is drawn for what is done before that. */
const delayMs = 300;

function timeText(seconds: number): string {
  const [s, m, h] = [Math.floor(seconds % 60), Math.floor((seconds / 60) % 60), Math.floor(seconds / 3600)];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${String(h)}:${two(m)}:${two(s)}` : `${String(m)}:${two(s)}`;
}

/** One line on a terminal about bytes that are on their way: how many, how fast, how long still. */
export class Progress {
  readonly #output: Output | null;
  readonly #started = performance.now();
  #began = 0;
  #name = '';
  #total: number | undefined;
  #done = 0;
  #drawnAt = 0;
  #drawn = false;

  /** Null: draw nothing. */
  constructor(output: Output | null) {
    this.#output = output;
  }

  /** Begins with the next object; `total` bytes if that is known. */
  begin(name: string, total: number | undefined): void {
    this.#began = performance.now();
    this.#name = name;
    this.#total = total;
    this.#done = 0;
  }

  /** Hands pieces on, and counts them. */
  async *count(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      yield piece;
      this.#done += piece.length;
      this.#draw();
    }
  }

  #draw(): void {
    const now = performance.now();
    if (this.#output === null || now - this.#started < delayMs || now - this.#drawnAt < intervalMs) return;
    this.#drawnAt = now;
    this.#drawn = true;
    this.#output.write(`\r\x1b[K${this.#line((now - this.#began) / 1000)}`);
  }

  #line(seconds: number): string {
    const rate = this.#done / Math.max(seconds, 0.001);
    const share = this.#total === undefined ? '' : ` ${String(this.#percent(this.#total))} %`;
    const left =
      this.#total === undefined || rate === 0
        ? ''
        : `, ${timeText(Math.max(0, this.#total - this.#done) / rate)} left`;
    const facts = `${share} ${bytesText(this.#done)}, ${bytesText(rate)}/s${left}`;
    const room = Math.max(8, (this.#output?.columns ?? 80) - facts.length - 1);
    const name = plain(this.#name);
    return (name.length > room ? `…${name.slice(1 - room)}` : name) + facts;
  }

  #percent(total: number): number {
    return total === 0 ? 100 : Math.min(100, Math.floor((100 * this.#done) / total));
  }

  /** Takes the line away. */
  end(): void {
    if (this.#drawn) this.#output?.write('\r\x1b[K');
    this.#drawn = false;
  }
}
