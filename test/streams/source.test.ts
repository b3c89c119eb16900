import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type ByteSource } from '../../src/index.js';
import { isReplayable, readSource } from '../../src/streams/source.js';
import { sourceKinds } from '../support/byte-sources.js';
import { expectSame, join } from '../support/bytes.js';
import { refusal } from '../support/errors.js';
import { endlessKinds, failingKinds, hangingGenerator, hangingKinds } from '../support/held-sources.js';
import { Rng } from '../support/rng.js';

async function readAll(source: ByteSource, signal?: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readSource(source, signal)) pieces.push(piece);
  return join(pieces);
}

/** What callers of plain JavaScript may give. */
const asSource = (value: unknown): ByteSource => value as ByteSource;

describe.each(sourceKinds)('%s', (kind, make) => {
  it.each([0, 1, 16_384, 1_000_003])('gives its %i bytes', async (size) => {
    const bytes = new Rng(size).bytes(size);
    expectSame(await readAll(await make(bytes)), bytes);
  });

  it('is read in pieces of at most 256 KiB', async () => {
    for await (const piece of readSource(await make(new Uint8Array(1_000_003)))) {
      expect(piece.length).toBeLessThanOrEqual(256 * 1024);
    }
  });

  it('says whether it can be read again', async () => {
    const source = await make(new Uint8Array(10));
    const again = ['a Uint8Array', 'a Buffer', 'a view of a larger array', 'a Blob', 'a File'].includes(kind);
    expect(isReplayable(source)).toBe(again);
    await readAll(source);
    if (again) expect(await readAll(source)).toHaveLength(10);
  });
});

it('gives the bytes of any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (pieces) => {
      expectSame(await readAll(pieces), join(pieces));
    }),
  );
});

describe('what is no source', () => {
  it.each([
    ['a string', 'text'],
    ['a number', 7],
    ['null', null],
    ['undefined', undefined],
    ['an object', {}],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a DataView', new DataView(new ArrayBuffer(4))],
    ['a function', () => new Uint8Array(1)],
  ])('is refused at once: %s', async (_, value) => {
    await refusal('invalid-argument', () => readSource(asSource(value)));
  });

  it('is told to encode a string first', async () => {
    const { message } = await refusal('invalid-argument', () => readSource(asSource('secret words')));
    expect(message).toContain('encode it first');
    expect(message).not.toContain('secret');
  });

  it.each([
    ['numbers', [1, 2, 3]],
    ['strings', ['a']],
    ['null', [null]],
    ['ArrayBuffers', [new ArrayBuffer(4)]],
    ['16-bit numbers', Uint16Array.of(1, 2)],
    ['a web stream of strings', new Blob(['text']).stream().pipeThrough(new TextDecoderStream())],
  ])('fails as soon as it gives what is not bytes: %s', async (_, value) => {
    await refusal('source-failed', () => readAll(asSource(value)));
  });

  it('does not show what was given instead of bytes', async () => {
    const { message } = await refusal('source-failed', () => readAll(asSource(['secret words'])));
    expect(message).toContain('got string');
    expect(message).not.toContain('secret');
  });
});

describe('a source that fails', () => {
  const error = new Error('disk on fire');

  it.each(failingKinds(error))('is reported with its error as the cause: %s', async (_, make) => {
    const { source } = make();
    const refused = await refusal('source-failed', () => readAll(source));
    expect(refused.cause).toBe(error);
    expect(refused.retryable).toBe(false);
  });

  it('is reported when its iterator cannot even be made', async () => {
    const broken = {
      [Symbol.asyncIterator]: () => {
        throw error;
      },
    };
    expect((await refusal('source-failed', () => readAll(broken))).cause).toBe(error);
  });

  it('is reported when it is a web stream that someone else reads', async () => {
    const source = new Blob(['text']).stream();
    const reader = source.getReader();
    await refusal('source-failed', () => readAll(source));
    expect((await reader.read()).value).toHaveLength(4);
  });
});

describe.each([...endlessKinds, ...hangingKinds])('%s that goes on or hangs', (_, make) => {
  it('is let go when the reader leaves its loop', async () => {
    const { source, released } = make();
    for await (const piece of readSource(source)) if (piece.length > 0) break;
    await vi.waitFor(() => {
      expect(released()).toBe(true);
    });
  });

  it('is let go when the reader leaves while it waits for the next piece', async () => {
    const { source, released } = make();
    const pieces = readSource(source);
    await pieces.next();
    const waiting = pieces.next();
    await Promise.all([pieces.return(undefined), waiting.catch(() => undefined)]);
    await vi.waitFor(() => {
      expect(released()).toBe(true);
    });
  });

  it('is let go when the signal aborts', async () => {
    const { source, released } = make();
    const controller = new AbortController();
    const reading = readAll(source, controller.signal);
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 5);
    const { cause } = await refusal('aborted', () => reading);
    expect(cause).toEqual(new Error('enough'));
    await vi.waitFor(() => {
      expect(released()).toBe(true);
    });
  });
});

describe('a source that was not begun', () => {
  it.each(hangingKinds)('is let go when its reader gives up: %s', async (_, make) => {
    const { source, released } = make();
    await readSource(source).return(undefined);
    expect(released()).toBe(true);
  });

  it('is not asked for anything if the signal aborted before', async () => {
    let asked = 0;
    const source = {
      *[Symbol.iterator]() {
        asked++;
        yield new Uint8Array(1);
      },
    };
    await refusal('aborted', () => readAll(source, AbortSignal.abort()));
    expect(asked).toBe(0);
  });
});

it('ends the wait for a generator that hangs and cannot be told, never as if it had ended', async () => {
  const pieces = readSource(hangingGenerator().source);
  await pieces.next();
  const waiting = pieces.next();
  await pieces.return(undefined);
  await refusal('aborted', () => waiting);
  expect(await pieces.next()).toEqual({ done: true, value: undefined });
});

it('asks for a piece only when its reader does', async () => {
  let given = 0;
  function* counting(): Generator<Uint8Array> {
    for (;;) yield new Uint8Array(++given);
  }
  const pieces = readSource(counting());
  for (let i = 1; i <= 5; i++) {
    await pieces.next();
    expect(given).toBe(i);
  }
});

it('leaves a web stream that it has read to the end unlocked', async () => {
  const source = new Blob(['text']).stream();
  await readAll(source);
  expect(source.locked).toBe(false);
});
