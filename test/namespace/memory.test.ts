/*
 * A file of its own, so that a process of its own: nothing else's memory is measured.
 */
import { setImmediate } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { type Namespace } from '../../src/index.js';
import { forgetfulStore } from '../support/stores.js';
import { makeWorld } from '../support/world.js';

const MiB = 1024 * 1024;
const size = 512 * MiB;
const piece = new Uint8Array(MiB).fill(7);

interface Usage {
  readonly rss: number;
  readonly arrayBuffers: number;
}

/** The most that this process used so far. */
class Peak implements Usage {
  rss = 0;
  arrayBuffers = 0;

  look(): void {
    const { rss, arrayBuffers } = process.memoryUsage();
    this.rss = Math.max(this.rss, rss);
    this.arrayBuffers = Math.max(this.arrayBuffers, arrayBuffers);
  }
}

async function* pieces(length: number, peak: Peak): AsyncGenerator<Uint8Array> {
  for (let given = 0; given < length; given += piece.length) {
    await setImmediate();
    peak.look();
    yield piece;
  }
}

let acme: Namespace;
beforeAll(async () => {
  const { keybound } = await makeWorld({ store: () => forgetfulStore() });
  acme = await keybound.create('acme', { key: 'local://acme' });
});

const operations: readonly (readonly [
  what: string,
  run: (length: number, peak: Peak) => Promise<unknown>,
])[] = [
  ['storing', (length, peak) => acme.put('name', pieces(length, peak))],
  [
    'encrypting and decrypting',
    async (length, peak) => {
      const encrypted = await acme.encryptStream('name', pieces(length, peak));
      let read = 0;
      for await (const part of await acme.decryptStream('name', encrypted)) read += part.length;
      expect(read).toBe(length);
    },
  ],
];

it.each(operations)('%s 512 MiB takes no more than 48 MiB of memory', async (_, run) => {
  const before = new Peak();
  // What the first pieces take, code and buffers, is no growth.
  await run(32 * MiB, before);
  const during = new Peak();
  await run(size, during);
  expect(during.arrayBuffers - before.arrayBuffers).toBeLessThan(48 * MiB);
  expect(during.rss - before.rss).toBeLessThan(48 * MiB);
});
