import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ByteStream, type Namespace } from '../../src/index.js';
import { readKinds, sourceKinds } from '../support/byte-sources.js';
import { expectSame } from '../support/bytes.js';
import { failureOf, refusal } from '../support/errors.js';
import { endlessKinds, failingKinds, hangingKinds } from '../support/held-sources.js';
import { Rng } from '../support/rng.js';
import { type WatchedStore, watchedStore } from '../support/stores.js';
import { makeWorld } from '../support/world.js';

const message = new Rng(1).bytes(100_003);
let acme: Namespace;
let store: WatchedStore;

beforeAll(async () => {
  store = watchedStore();
  const { keybound } = await makeWorld({ store: () => store });
  acme = await keybound.create('acme', { key: 'local://acme' });
  await acme.put('message', message);
});

/** Each gives a stream of the same plaintext: one from a store, one from elsewhere. */
const streams: readonly (readonly [what: string, make: () => Promise<ByteStream>])[] = [
  ['an object from the store', () => acme.get('message')],
  ['a range of one', () => acme.get('message', { range: { start: 0 } })],
  ['an object from elsewhere', async () => acme.decryptStream('x', await acme.encryptStream('x', message))],
];

describe.each(sourceKinds)('%s', (_, make) => {
  it.each(readKinds)('is encrypted, decrypted and read by %s unchanged', async (_, read) => {
    const encrypted = await acme.encryptStream('x', await make(message));
    const ciphertext = await read(encrypted);
    const decrypted = await acme.decryptStream('x', await make(ciphertext));
    expectSame(await read(decrypted), message);
  });

  it('is stored and read unchanged', async () => {
    const { size } = await acme.put('stored', await make(message));
    expect(size).toBe(message.length);
    expectSame(await (await acme.get('stored')).bytes(), message);
  });
});

describe.each(streams)('%s', (_, open) => {
  it.each(readKinds)('reads the same by %s', async (_, read) => {
    expectSame(await read(await open()), message);
  });

  it.each(readKinds)('is consumed once read by %s', async (_, read) => {
    const stream = await open();
    await read(stream);
    for (const [, again] of readKinds) await refusal('stream-consumed', () => again(stream));
    await expect(stream.cancel()).resolves.toBeUndefined();
  });

  it('is consumed once cancelled, however often', async () => {
    const stream = await open();
    await stream.cancel();
    await stream.cancel();
    await refusal('stream-consumed', () => stream.bytes());
  });

  it('gives bytes of the reader’s own', async () => {
    const bytes = await (await open()).bytes();
    bytes.fill(0);
    expectSame(await (await open()).bytes(), message);
  });
});

/** More than the header of an encrypted stream: what it is made of has been begun then. */
const someBytes = 5000;

/** Every way to give up, before anything was read or after some of it was. */
const waysToLeave: readonly (readonly [how: string, leave: (stream: ByteStream) => Promise<unknown>])[] = [
  ['cancel()', (stream) => stream.cancel()],
  [
    'a break out of its loop',
    async (stream) => {
      let read = 0;
      for await (const piece of stream) if ((read += piece.length) > someBytes) break;
    },
  ],
  ['the end of an iterator that was not begun', (stream) => stream[Symbol.asyncIterator]().return(undefined)],
  ['cancel() of a web stream that was not begun', (stream) => stream.toWeb().cancel()],
  [
    'reader.cancel() after some bytes',
    async (stream) => {
      const reader = stream.toWeb().getReader();
      for (let read = 0; read < someBytes;) read += (await reader.read()).value?.length ?? 0;
      await reader.cancel();
    },
  ],
  ['destroy() of a Node stream that was not begun', (stream) => closed(stream.toNode().destroy())],
  [
    'destroy() of a Node stream after some bytes',
    async (stream) => {
      const node = stream.toNode();
      let read = 0;
      await new Promise<void>((resolve) => {
        node.on('data', (piece: Uint8Array) => {
          if ((read += piece.length) > someBytes) resolve();
        });
      });
      await closed(node.destroy());
    },
  ],
];

const closed = (stream: NodeJS.ReadableStream): Promise<unknown> => finished(stream).catch(() => undefined);

describe.each(waysToLeave)('%s', (_, leave) => {
  it('lets go of what the store holds', async () => {
    for (const range of [undefined, { start: 5 }, { start: 5, end: 70_000 }]) {
      const stream = await acme.get('message', range === undefined ? {} : { range });
      expect(store.unreleased).toBe(1);
      await leave(stream);
      expect(store.unreleased).toBe(0);
    }
  });

  it.each(endlessKinds)('lets go of %s that is being encrypted', async (_, make) => {
    const { source, released } = make();
    await leave(await acme.encryptStream('x', source));
    await vi.waitFor(() => {
      expect(released()).toBe(true);
    });
  });

  it('lets go of a stream that is being decrypted', async () => {
    let given = 0;
    let released = false;
    const ciphertext = await (await acme.encryptStream('x', message)).bytes();
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        for (let at = 0; at < ciphertext.length; at += 20_000) {
          given++;
          yield await Promise.resolve(ciphertext.subarray(at, at + 20_000));
        }
      } finally {
        released = true;
      }
    }
    await leave(await acme.decryptStream('x', pieces()));
    expect(released).toBe(true);
    expect(given).toBeLessThan(5);
  });
});

describe.each(hangingKinds)('%s that hangs', (_, make) => {
  it('is let go when a web stream made of it is cancelled', async () => {
    const { source, released } = make();
    const reader = (await acme.encryptStream('x', source)).toWeb().getReader();
    await reader.read();
    const waiting = reader.read();
    await new Promise(setImmediate);
    await reader.cancel();
    expect((await waiting).done).toBe(true);
    expect(released()).toBe(true);
  });

  it('is let go when a Node stream made of it is destroyed', async () => {
    const { source, released } = make();
    const stream = (await acme.encryptStream('x', source)).toNode();
    stream.resume();
    await sleep(5);
    await closed(stream.destroy());
    expect(released()).toBe(true);
  });

  it('ends as aborted at once', async () => {
    const { source, released } = make();
    const controller = new AbortController();
    const stream = await acme.encryptStream('x', source, { signal: controller.signal });
    const reading = stream.bytes();
    await sleep(5);
    const began = performance.now();
    controller.abort();
    await refusal('aborted', () => reading);
    expect(performance.now() - began).toBeLessThan(100);
    expect(released()).toBe(true);
  });
});

describe('a signal', () => {
  it('that aborted before stops every operation', async () => {
    const signal = AbortSignal.abort();
    await refusal('aborted', () => acme.encryptStream('x', message, { signal }));
    await refusal('aborted', () => acme.decryptStream('x', message, { signal }));
    await refusal('aborted', () => acme.put('x', message, { signal }));
    await refusal('aborted', () => acme.get('message', { signal }));
    await refusal('aborted', () => acme.get('message', { signal, range: { start: 1 } }));
    await refusal('aborted', () => acme.head('message', { signal }));
    await refusal('aborted', () => acme.delete('message', { signal }));
    await refusal('aborted', () => acme.listPage({ signal }));
    await refusal('aborted', () => acme.describe({ signal }));
    await refusal('aborted', () => acme.encryptRecord('x', message, { signal }));
    expectSame(await (await acme.get('message')).bytes(), message);
  });

  it('that aborts between two pieces stops the stream, which stays failed', async () => {
    for (const [, open] of [
      ['get', (signal: AbortSignal) => acme.get('message', { signal })],
      ['range', (signal: AbortSignal) => acme.get('message', { signal, range: { start: 1 } })],
      [
        'decryptStream',
        async (signal: AbortSignal) =>
          acme.decryptStream('x', await acme.encryptStream('x', message), { signal }),
      ],
    ] as const) {
      const controller = new AbortController();
      const pieces = (await open(controller.signal))[Symbol.asyncIterator]();
      expect((await pieces.next()).done).toBe(false);
      controller.abort();
      await refusal('aborted', async () => {
        while ((await pieces.next()).done !== true);
      });
      expect((await pieces.next()).done).toBe(true);
    }
    expect(store.unreleased).toBe(0);
  });

  it('that aborts afterwards changes nothing', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await acme.put('x', message, { signal });
    const bytes = await (await acme.get('x', { signal })).bytes();
    const record = await acme.encryptRecord('x', bytes, { signal });
    controller.abort();
    expectSame(bytes, message);
    expectSame(await acme.decryptRecord('x', record), message);
  });
});

describe('a source that fails midway', () => {
  const error = new Error('disk on fire');

  it.each(failingKinds(error))(
    'fails the stream made of it, with its error as the cause: %s',
    async (_, make) => {
      for (const [, read] of readKinds) {
        const refused = await failureOf(async () => read(await acme.encryptStream('x', make().source)));
        expect(refused).toMatchObject({ code: 'source-failed', cause: error });
      }
    },
  );

  it.each(failingKinds(error))('stores nothing: %s', async (_, make) => {
    const refused = await refusal('source-failed', () => acme.put('never', make().source));
    expect(refused.cause).toBe(error);
    await refusal('object-not-found', () => acme.get('never'));
  });
});

describe('a slow reader', () => {
  const pieceSize = 64 * 1024;
  let given = 0;
  async function* producer(): AsyncGenerator<Uint8Array> {
    for (given = 0; given < 16 * 1024 * 1024; given += pieceSize) {
      yield await Promise.resolve(new Uint8Array(pieceSize));
    }
  }
  const ahead = 1024 * 1024;

  it('keeps the source of an encrypted stream from running ahead', async () => {
    let read = 0;
    for await (const piece of (await acme.encryptStream('x', producer())).toNode()) {
      read += (piece as Uint8Array).length;
      if (read < 1024 * 1024) await sleep(2);
      expect(given - read).toBeLessThan(ahead);
    }
    expect(read).toBeGreaterThan(16 * 1024 * 1024);
  });

  it('keeps the source of a web stream from running ahead', async () => {
    const reader = (await acme.encryptStream('x', producer())).toWeb().getReader();
    for (let read = 0; read < pieceSize;) read += (await reader.read()).value?.length ?? 0;
    await sleep(20);
    expect(given).toBeLessThan(ahead);
    await reader.cancel();
  });

  it('keeps the source of a decrypted stream from running ahead', async () => {
    const encrypted = await acme.encryptStream('x', producer());
    const pieces = (await acme.decryptStream('x', encrypted))[Symbol.asyncIterator]();
    await pieces.next();
    await sleep(20);
    expect(given).toBeLessThan(ahead);
    await pieces.return(undefined);
  });
});

describe('text() and json()', () => {
  const of = async (bytes: Uint8Array): Promise<ByteStream> => {
    await acme.put('text', bytes);
    return acme.get('text');
  };
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

  it.each(['', 'plain', 'é 😀 \0', '\ufeffwith a byte order mark'])(
    'give back text as it is: %j',
    async (text) => {
      expect(await (await of(utf8(text))).text()).toBe(text);
      expect(await (await of(utf8(JSON.stringify({ text })))).json()).toEqual({ text });
    },
  );

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong form', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a character cut short', [0xe2, 0x82]],
  ])('refuse bytes that are no UTF-8: %s', async (_, bytes) => {
    await refusal('invalid-argument', async () => (await of(Uint8Array.from(bytes))).text());
    await refusal('invalid-argument', async () => (await of(Uint8Array.from(bytes))).json());
  });

  it.each(['', '{', '\ufeff{}', "{'a':1}", '{} {}'])(
    'refuse text that is no JSON, without showing it: %j',
    async (text) => {
      const error = await refusal('invalid-argument', async () => (await of(utf8(text))).json());
      expect(error.message).toMatch(/^expected JSON/);
      expect(error.cause).toBeUndefined();
    },
  );

  it('refuse text that is cut in the middle of a character by a range', async () => {
    await acme.put('text', utf8('€'));
    await refusal('invalid-argument', async () => (await acme.get('text', { range: { start: 1 } })).text());
  });
});

describe.runIf(process.platform === 'linux')('a file that is being read', () => {
  let folder: string;
  let path: string;
  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'keybound-handles-'));
    path = joinPath(folder, 'file');
    await writeFile(path, new Uint8Array(1_000_000));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function isOpen(): Promise<boolean> {
    const handles = await readdir('/proc/self/fd');
    const targets = await Promise.all(handles.map((one) => readlink(`/proc/self/fd/${one}`).catch(() => '')));
    return targets.includes(path);
  }

  it.each(waysToLeave)('is closed by %s', async (_, leave) => {
    await leave(await acme.encryptStream('x', createReadStream(path)));
    await vi.waitFor(async () => {
      expect(await isOpen()).toBe(false);
    });
  });

  it('is closed by a put that is refused', async () => {
    await refusal('object-exists', () => acme.put('message', createReadStream(path), { ifAbsent: true }));
    await vi.waitFor(async () => {
      expect(await isOpen()).toBe(false);
    });
  });
});
