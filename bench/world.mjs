import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initRegistry, openKeybound } from 'keybound';
import { localKeys } from 'keybound/local';
import { memoryStore } from 'keybound/memory';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** A namespace of a registry that was just made, on `store` and keys of random bytes. */
export async function makeNamespace(store = memoryStore()) {
  const names = ['service', 'recovery', 'acme'];
  const keys = [localKeys(Object.fromEntries(names.map((name) => [name, randomBytes(32)])))];
  const regions = { here: { store, keyLocations: ['local'] } };
  const root = { key: 'local://service', recoveryKey: 'local://recovery' };
  const { config } = await initRegistry({ regions, keys, ...root });
  return openKeybound({ ...config, regions, keys }).create('acme', { key: 'local://acme' });
}

/** Reads everything, keeps nothing, and sees to it that all of it came. */
export async function drain(stream, size) {
  let length = 0;
  for await (const piece of stream) length += piece.length;
  if (length < size) throw new Error(`expected ${String(size)} bytes, got ${String(length)}`);
}

/** `size` bytes in pieces that are one and the same array. */
export async function* repeated(size, piece = new Uint8Array(MiB).fill(7)) {
  for (let given = 0; given < size; given += piece.length) yield piece;
}

/** Runs `use` with a folder that is there for so long. */
export async function withFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'keybound-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
