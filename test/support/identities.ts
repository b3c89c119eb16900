import { contextBytes } from '../../src/format/identity.js';
import { type Rng } from './rng.js';
import { type FullIdentity } from './sealed.js';

/** Another identity, and in words what is different. */
export interface OtherIdentity {
  readonly what: string;
  readonly identity: FullIdentity;
}

type Change = (identity: FullIdentity, rng: Rng) => Partial<FullIdentity>;

function flipped(bytes: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.below(bytes.length);
  const bit = 1 << rng.below(8);
  return bytes.map((byte, i) => (i === at ? byte ^ bit : byte));
}

/** A text that differs in one character: changed, added or dropped. */
function other(text: string, rng: Rng): string {
  const at = rng.below(text.length);
  const letter = String.fromCharCode(97 + rng.below(26));
  const made = rng.pick([
    `${text.slice(0, at)}${letter}${text.slice(at + 1)}`,
    `${text.slice(0, at)}${letter}${text.slice(at)}`,
    `${text.slice(0, at)}${text.slice(at + 1)}`,
    `${text}${letter}`,
    text.toUpperCase(),
  ]);
  return made === text || made === '' ? `${text}x` : made;
}

/** The context with one of its pairs replaced by `pairs`. */
function without(
  { context }: FullIdentity,
  rng: Rng,
  pairs: (key: string, value: string) => [string, string][],
): Partial<FullIdentity> {
  const entries = Object.entries(context);
  const gone = rng.below(entries.length);
  return {
    context: Object.fromEntries(
      entries.flatMap(([key, value], i) => (i === gone ? pairs(key, value) : [[key, value]])),
    ),
  };
}

/** What is encoded of a context, as text, but for its last two bytes. */
const encoded = (context: FullIdentity['context']): string =>
  Buffer.from(contextBytes(context)).subarray(0, -2).toString('latin1');

const changes: readonly (readonly [what: string, change: Change])[] = [
  ['registry', ({ registry }, rng) => ({ registry: flipped(registry, rng) })],
  ['instance', ({ instance }, rng) => ({ instance: flipped(instance, rng) })],
  [
    'registry and instance exchanged',
    ({ registry, instance }) => ({ registry: instance, instance: registry }),
  ],
  ['namespace', ({ namespace }, rng) => ({ namespace: other(namespace, rng) })],
  ['region', ({ region }, rng) => ({ region: other(region, rng) })],
  ['name', ({ name }, rng) => ({ name: other(name, rng) })],
  ['name and namespace exchanged', ({ name, namespace }) => ({ name: namespace, namespace: name })],
  [
    'a character moved from region to name',
    ({ region, name }) => ({ region: region.slice(0, -1), name: region.slice(-1) + name }),
  ],
  // The context ends like one without pairs: a name that is not delimited could hold all that comes before.
  ['name that swallows the context', ({ name, context }) => ({ name: name + encoded(context), context: {} })],
  ['context key', (identity, rng) => without(identity, rng, (key, value) => [[other(key, rng), value]])],
  ['context value', (identity, rng) => without(identity, rng, (key, value) => [[key, other(value, rng)]])],
  ['context pair dropped', (identity, rng) => without(identity, rng, () => [])],
  ['context pair added', ({ context }, rng) => ({ context: { ...context, [other('extra', rng)]: '' } })],
  [
    'a character moved from context key to value',
    (identity, rng) => without(identity, rng, (key, value) => [[key.slice(0, -1), key.slice(-1) + value]]),
  ],
  ['context dropped', () => ({ context: {} })],
  [
    'class',
    ({ class: own }, rng) => ({ class: rng.pick(([1, 2, 3, 4] as const).filter((one) => one !== own)) }),
  ],
];

/** Other identities, without end; the same seed gives the same ones. */
export function* otherIdentities(identity: FullIdentity, rng: Rng): Generator<OtherIdentity, never> {
  for (;;) {
    for (const [what, change] of changes) yield { what, identity: { ...identity, ...change(identity, rng) } };
  }
}
