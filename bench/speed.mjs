/*
 * What is compared with bare calls: streams, files, records, ranges. Each gives rows: what was measured, how fast, the
 * ratio to bare.
 */
import { createReadStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileStore } from 'keybound/file';
import * as bare from './bare.mjs';
import { compare } from './measure.mjs';
import { drain, GiB, KiB, makeNamespace, MiB, repeated, withFolder } from './world.mjs';

const perSecond = (size) => (ms) => `${(((size / ms) * 1000) / 1e6).toFixed(0)} MB/s`;
const each = (times) => (ms) => `${((ms * 1000) / times).toFixed(1)} µs`;

/** Compares, and says it as people read it. */
async function row(what, shown, work) {
  const found = await compare(work);
  return { what, ...found, shown: { ours: shown(found.ours), bare: shown(found.bare) } };
}

/** Memory to nowhere. */
export async function* streams({ quick }) {
  const acme = await makeNamespace();
  const size = (quick ? 32 : 64) * MiB;
  const rounds = quick ? 15 : 40;
  const plaintext = new Uint8Array(size).fill(7);
  const ciphertext = await (await acme.encryptStream('name', plaintext)).bytes();
  const bareCiphertext = bare.sealed(plaintext);
  yield await row('encryptStream, memory to nowhere', perSecond(size), {
    rounds,
    ours: async () => drain(await acme.encryptStream('name', plaintext), size),
    bare: () => bare.encrypt(plaintext),
  });
  yield await row('decryptStream, memory to nowhere', perSecond(size), {
    rounds,
    ours: async () => drain(await acme.decryptStream('name', ciphertext), size),
    bare: () => bare.decrypt(bareCiphertext),
  });
}

/** A real file, which the system has in memory, to nowhere: Node reads it in pieces of 64 KiB. */
export async function* files({ quick }) {
  const acme = await makeNamespace();
  const size = (quick ? 32 : 256) * MiB;
  const rounds = quick ? 9 : 15;
  yield* await withFolder(async (folder) => {
    const path = join(folder, 'plaintext');
    await writeFile(path, repeated(size));
    return [
      await row('encryptStream, file to nowhere', perSecond(size), {
        rounds,
        ours: async () => drain(await acme.encryptStream('name', createReadStream(path)), size),
        bare: async () => {
          let index = 0;
          for await (const piece of createReadStream(path)) index = bare.encrypt(piece, index);
        },
      }),
    ];
  });
}

export async function* records({ quick }) {
  const acme = await makeNamespace();
  const rounds = quick ? 15 : 40;
  for (const size of [64, KiB, 16 * KiB]) {
    const times = size > KiB ? 500 : 1000;
    const plaintext = new Uint8Array(size).fill(7);
    const record = await acme.encryptRecord('name', plaintext);
    const bareRecord = bare.encryptOnce(plaintext);
    const repeat = (work) => async () => {
      for (let i = 0; i < times; i++) await work();
    };
    const repeatBare = (work) => () => {
      for (let i = 0; i < times; i++) work();
    };
    yield await row(`encryptRecord, ${String(size)} B`, each(times), {
      rounds,
      ours: repeat(() => acme.encryptRecord('name', plaintext)),
      bare: repeatBare(() => bare.encryptOnce(plaintext)),
    });
    yield await row(`decryptRecord, ${String(size)} B`, each(times), {
      rounds,
      ours: repeat(() => acme.decryptRecord('name', record)),
      bare: repeatBare(() => bare.decryptOnce(bareRecord)),
    });
  }
}

/** Numbers that look random and are the same in every run: the generator of Numerical Recipes, modulo 2^32. */
function* numbers(state = 1) {
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** 64 KiB from anywhere in a large object, against opening a plain file and reading them there. */
export async function* ranges({ quick }) {
  const size = quick ? 64 * MiB : GiB;
  const length = 64 * KiB;
  const times = quick ? 50 : 100;
  yield* await withFolder(async (folder) => {
    const acme = await makeNamespace(fileStore(join(folder, 'store')));
    await acme.put('name', repeated(size));
    const path = join(folder, 'plaintext');
    await writeFile(path, repeated(size));
    const places = { ours: numbers(), bare: numbers() };
    const place = (which) => Math.floor(places[which].next().value * (size - length));
    return [
      await row(`get, 64 KiB out of ${quick ? '64 MiB' : '1 GiB'}`, each(times), {
        rounds: quick ? 9 : 15,
        ours: async () => {
          for (let i = 0; i < times; i++) {
            const start = place('ours');
            await drain(await acme.get('name', { range: { start, end: start + length } }), length);
          }
        },
        bare: async () => {
          for (let i = 0; i < times; i++) {
            const file = await open(path);
            await file.read(new Uint8Array(length), 0, length, place('bare'));
            await file.close();
          }
        },
      }),
    ];
  });
}
