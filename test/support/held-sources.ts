/*
 * Sources that give one piece and then hang, or fail, and tell whether they were let go.
 */
import { setImmediate } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { type ByteSource } from '../../src/index.js';

export interface HeldSource {
  readonly source: ByteSource;
  /** Whether the source has been told to let go of what it holds. */
  readonly released: () => boolean;
}

const first = Uint8Array.of(1, 2, 3);
const never = (): Promise<never> => new Promise<never>(() => undefined);

function generator(then: () => Promise<unknown>): HeldSource {
  let released = false;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield first;
      await then();
    } finally {
      released = true;
    }
  }
  return { source: pieces(), released: () => released };
}

function readable(then: () => Promise<unknown>): HeldSource {
  let begun = false;
  const source = new Readable({
    read() {
      if (!begun) this.push(first);
      else then().catch((error: unknown) => this.destroy(error as Error));
      begun = true;
    },
  });
  return { source, released: () => source.destroyed };
}

function webStream(then: () => Promise<unknown>): HeldSource {
  let released = false;
  let begun = false;
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!begun) controller.enqueue(first);
        else await then();
        begun = true;
      },
      cancel() {
        released = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { source, released: () => released };
}

const kinds = { 'a generator': generator, 'a Readable': readable, 'a web stream': webStream };

type Kind = readonly [kind: string, make: () => HeldSource];

/** Give one piece, and then nothing, for ever. A generator cannot be told while it hangs: that is not among these. */
export const hangingKinds: readonly Kind[] = [
  ['a Readable', () => readable(never)],
  ['a web stream', () => webStream(never)],
];

/** One that cannot be told anything while it hangs. */
export const hangingGenerator = (): HeldSource => generator(never);

/** Give one piece after the other, without end. */
export const endlessKinds: readonly Kind[] = [
  ['a generator', () => endless()],
  ['a Readable', () => readableOf(endless())],
  ['a web stream', () => webStreamOf(endless())],
];

/** Give one piece, then fail. */
export const failingKinds = (error: Error): Kind[] =>
  Object.entries(kinds).map(([kind, make]) => [kind, () => make(() => Promise.reject(error))]);

function endless(): HeldSource & { source: AsyncGenerator<Uint8Array> } {
  // A generator that was not begun holds nothing, and is not told.
  let released = true;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    released = false;
    try {
      for (;;) {
        await setImmediate();
        yield new Uint8Array(1000);
      }
    } finally {
      released = true;
    }
  }
  return { source: pieces(), released: () => released };
}

function readableOf({ source }: { source: AsyncGenerator<Uint8Array> }): HeldSource {
  const stream = Readable.from(source);
  return { source: stream, released: () => stream.destroyed };
}

function webStreamOf({ source, released }: { source: AsyncGenerator<Uint8Array> } & HeldSource): HeldSource {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await source.next();
      if (next.done !== true) controller.enqueue(next.value);
    },
    async cancel() {
      await source.return(undefined);
    },
  });
  return { source: stream, released };
}
