/*
 * Records, objects and streams, altered in every way: what comes out is what was put in, or nothing.
 */
import { type Namespace } from '../../../src/index.js';
import { type ByteRange } from '../../../src/streams/object-stream.js';
import { same } from '../../support/bytes.js';
import { Rng } from '../../support/rng.js';
import { storeBytes } from '../../support/stores.js';
import { lengthsAt } from '../engine/bytes.js';
import { type MakeTarget, must } from '../engine/target.js';
import { makeFuzzWorld, objectPlace, type FuzzWorld } from './world.js';

const name = 'customers/42';
const context = { field: 'iban' };

interface Known {
  readonly message: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What was encrypted, if the bytes are its ciphertext to the letter. */
function original(known: readonly Known[], input: Uint8Array): Uint8Array {
  const found = known.find(({ bytes }) => same(bytes, input));
  must(found !== undefined, 'an altered ciphertext opened');
  return found.message;
}

export const record: MakeTarget = async () => {
  const acme = await (await makeFuzzWorld()).process().open('acme', { region: 'eu' });
  const known: Known[] = [];
  for (const size of [0, 20, 300, 20_000]) {
    const message = new Rng(size).bytes(size);
    known.push({ message, bytes: await acme.encryptRecord(name, message, { context }) });
  }
  return {
    name: 'record',
    corpus: known.map(({ bytes }) => bytes),
    mutators: [lengthsAt(4, 6)],
    run: async (input) => {
      const opened = await acme.decryptRecord(name, input, { context });
      must(same(opened, original(known, input)), 'a record opened as something else');
    },
  };
};

interface Objects {
  readonly world: FuzzWorld;
  readonly acme: Namespace;
  readonly known: readonly Known[];
}

async function makeObjects(): Promise<Objects> {
  const world = await makeFuzzWorld();
  const acme = await world.process().open('acme', { region: 'eu' });
  const known: Known[] = [];
  for (const size of [0, 100, 16_384, 40_000]) {
    const message = new Rng(size).bytes(size);
    const options = { context, contentType: 'text/plain', pairs: { of: 'mine' } };
    known.push({ message, bytes: await (await acme.encryptStream(name, message, options)).bytes() });
  }
  return { world, acme, known };
}

const objectTarget =
  (target: string, run: (objects: Objects, input: Uint8Array) => Promise<void>): MakeTarget =>
  async () => {
    const objects = await makeObjects();
    return {
      name: target,
      corpus: objects.known.map(({ bytes }) => bytes),
      mutators: [lengthsAt(4, 6, 112, 112)],
      shortRuns: 120,
      run: (input) => run(objects, input),
    };
  };

const put = ({ world }: Objects, input: Uint8Array): Promise<void> =>
  storeBytes(world.stores.eu, objectPlace(name), input);

export const objectWhole = objectTarget('object-whole', async (objects, input) => {
  await put(objects, input);
  const object = await objects.acme.get(name, { context });
  must(object.metadata.contentType === 'text/plain', 'metadata opened as something else');
  must(same(await object.bytes(), original(objects.known, input)), 'an object opened as something else');
});

export const objectHead = objectTarget('object-head', async (objects, input) => {
  await put(objects, input);
  const { contentType, pairs } = await objects.acme.head(name, { context });
  must(contentType === 'text/plain' && pairs?.['of'] === 'mine', 'metadata opened as something else');
});

const ranges: readonly ByteRange[] = [
  { start: 0, end: 10 },
  { start: 16_380, end: 16_390 },
  { start: 16_384 },
  { start: 100, end: 100 },
  { start: 32_768, end: 90_000 },
  { start: 2 ** 40, end: 2 ** 45 },
  { suffix: 7 },
  { suffix: 0 },
  { suffix: 2 ** 40 },
];

export const objectRange = objectTarget('object-range', async (objects, input) => {
  await put(objects, input);
  // One of them, by the input alone.
  const range = ranges[input.reduce((sum, byte) => (sum + byte) % ranges.length, 0)] ?? { start: 0 };
  const opened = await (await objects.acme.get(name, { context, range })).bytes();
  const truths = objects.known.map(({ message }) =>
    'suffix' in range
      ? message.subarray(Math.max(0, message.length - range.suffix))
      : message.subarray(range.start, range.end),
  );
  must(
    truths.some((truth) => same(truth, opened)),
    'a range opened as something else',
  );
});

/** Pieces of all lengths, none of them too. */
function* pieces(input: Uint8Array): Generator<Uint8Array> {
  let at = 0;
  for (const size of [0, 1, 3, 0, 108, 2]) {
    yield input.subarray(at, at + size);
    at += size;
  }
  for (; at < input.length; at += 5000) yield input.subarray(at, at + 5000);
}

export const objectStream = objectTarget('object-stream', async ({ acme, known }, input) => {
  const opened = await (await acme.decryptStream(name, pieces(input), { context })).bytes();
  must(same(opened, original(known, input)), 'a stream opened as something else');
});
