/*
 * Mutations of JSON text that keep it JSON, or nearly: one member, value or spelling is wrong, the rest still passes.
 */
import { type Rng } from '../../support/rng.js';
import { mutateBytes } from './bytes.js';
import { type Mutator } from './target.js';

/** JSON as written: members keep their order and may come twice, numbers keep their spelling. */
type Tree =
  | { readonly kind: 'object'; readonly members: readonly (readonly [key: string, value: Tree])[] }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'raw'; readonly raw: string };

const raw = (text: string): Tree => ({ kind: 'raw', raw: text });

/** Deeper ones are left to the byte mutator: what follows recurses. */
const maxDepth = 100;

function read(value: unknown, depth = 0): Tree {
  if (depth > maxDepth) throw new RangeError('too deep');
  const inside = (inner: unknown): Tree => read(inner, depth + 1);
  if (typeof value === 'string') return { kind: 'text', text: value };
  if (Array.isArray(value)) return { kind: 'array', items: value.map(inside) };
  if (typeof value !== 'object' || value === null) return raw(JSON.stringify(value));
  return { kind: 'object', members: Object.entries(value).map(([key, member]) => [key, inside(member)]) };
}

function write(tree: Tree): string {
  if (tree.kind === 'raw') return tree.raw;
  if (tree.kind === 'text') return JSON.stringify(tree.text);
  if (tree.kind === 'array') return `[${tree.items.map(write).join(',')}]`;
  return `{${tree.members.map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(',')}}`;
}

function* nodes(tree: Tree): Generator<Tree> {
  yield tree;
  if (tree.kind === 'array') for (const item of tree.items) yield* nodes(item);
  if (tree.kind === 'object') for (const [, value] of tree.members) yield* nodes(value);
}

/** The tree with `change` made to one node, by identity: where copies share it, to the first. */
function changed(tree: Tree, node: Tree, change: (node: Tree) => Tree): Tree {
  let made = false;
  const visit = (one: Tree): Tree => {
    if (made) return one;
    if (one === node) {
      made = true;
      return change(one);
    }
    if (one.kind === 'array') return { kind: 'array', items: one.items.map(visit) };
    if (one.kind !== 'object') return one;
    return { kind: 'object', members: one.members.map(([key, value]) => [key, visit(value)]) };
  };
  return visit(tree);
}

const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'then',
  '\ud800',
  '0',
];

/** How many: mostly one of the first, seldom one of the second, which cost time. */
const many = (rng: Rng, few: readonly number[], lots: readonly number[]): number =>
  rng.pick(rng.below(30) === 0 ? lots : few);

/** Longest text that copies grow to. */
const maxGrowth = 400_000;

/** So many copies, or as many as fit. */
const copies = <T>(count: number, one: T, length: number): T[] =>
  Array.from({ length: Math.min(count, Math.floor(maxGrowth / Math.max(1, length))) }, () => one);

const deep = (rng: Rng): string => {
  const depth = many(rng, [2, 8, 9, 100], [1000, 20_000]);
  return rng.pick([
    () => '['.repeat(depth) + ']'.repeat(depth),
    () => '{"a":'.repeat(depth) + '0' + '}'.repeat(depth),
    () => '{"anyOf":['.repeat(depth) + '"local://a"' + ']}'.repeat(depth),
    () => '{"allOf":['.repeat(depth) + '"local://a"' + ']}'.repeat(depth),
  ])();
};

const values: readonly ((rng: Rng) => Tree)[] = [
  ...[
    ...[
      'null',
      'true',
      'false',
      '0',
      '-0',
      '1',
      '-1',
      '2',
      '0.5',
      '1e3',
      '1E400',
      '-1e400',
      '4294967295',
      '4294967296',
    ],
    ...['9007199254740991', '9007199254740993', '1e-400', '300000', '300001', '""', '[]', '{}', '"\\u0000"'],
    ...['"\\ud800"', '"\\udc00\\ud800"', '"__proto__"', '{"__proto__":{"polluted":true}}', '[null]', '[[]]'],
    ...[
      '{"constructor":{"prototype":{"polluted":true}}}',
      '"A"',
      '"\\u202e"',
      '"a\\nb"',
      '{"length":4294967295}',
    ],
  ].map((text) => () => raw(text)),
  (rng) => raw(deep(rng)),
  (rng) => ({
    kind: 'text',
    text: 'x'.repeat(many(rng, [1, 63, 64, 128, 129, 256, 257, 512, 513], [5000, 200_000])),
  }),
  (rng) => ({
    kind: 'text',
    text: Buffer.from(rng.bytes(rng.pick([0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65]))).toString('base64url'),
  }),
  (rng) => raw(`[${copies(many(rng, [2, 9, 17, 65], [513, 10_001]), '0', 2).join(',')}]`),
];

function alterText(text: string, rng: Rng): string {
  const at = rng.below(text.length + 1);
  return rng.pick([
    () => '',
    () => text.repeat(rng.pick([2, 40, 300])).slice(0, 5000),
    () => text.slice(0, at) + text.slice(at + 1),
    () =>
      text.slice(0, at) +
      rng.pick(['A', '-', '_', '=', '/', '\0', '\n', '\ud800', 'é', '\u202e', '\ufeff', ' ']) +
      text.slice(at),
    () => text.slice(0, at) + rng.pick(['A', 'B', '0', '1', '.', '\u0000']) + text.slice(at + 1),
    () => text.toUpperCase(),
    () => text.slice(0, at),
    () => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1),
  ])();
}

function alterNumber(text: string, rng: Rng): string {
  const value = Number(text);
  if (!Number.isFinite(value)) return '0';
  return rng.pick([
    () => String(value + 1),
    () => String(value - 1),
    () => String(-value),
    () => String(value * 2 ** 32),
    () => `${text}.0`,
    () => `${text}e0`,
    () => JSON.stringify(text),
  ])();
}

/** The node of another tree in the same place, on a random way down; null where the two have nothing in common. */
function counterpart(tree: Tree, other: Tree, rng: Rng): readonly [node: Tree, its: Tree] | null {
  if (tree.kind !== other.kind || tree.kind === 'raw' || tree.kind === 'text') return null;
  const deeper = (node: Tree | undefined, its: Tree | undefined): readonly [Tree, Tree] | null => {
    if (node === undefined || its === undefined) return null;
    return (rng.below(3) === 0 ? counterpart(node, its, rng) : null) ?? [node, its];
  };
  if (tree.kind === 'array' && other.kind === 'array') {
    return deeper(tree.items[rng.below(tree.items.length)], other.items[rng.below(other.items.length)]);
  }
  if (tree.kind !== 'object' || other.kind !== 'object') return null;
  const [key, node] = tree.members[rng.below(tree.members.length)] ?? [];
  return deeper(node, other.members.find(([name]) => name === key)?.[1]);
}

/** What one node becomes; `donor` is one from anywhere. */
function alter(node: Tree, rng: Rng, donor: Tree): Tree {
  if (rng.below(4) === 0) return rng.pick(values)(rng);
  if (rng.below(6) === 0) return donor;
  if (node.kind === 'text') return { kind: 'text', text: alterText(node.text, rng) };
  if (node.kind === 'raw') return raw(alterNumber(node.raw, rng));
  if (node.kind === 'array') {
    const at = rng.below(node.items.length + 1);
    const [before, after] = [node.items.slice(0, at), node.items.slice(at)];
    const item = node.items[Math.min(at, node.items.length - 1)] ?? donor;
    return rng.pick<() => Tree>([
      () => ({ kind: 'array', items: [...before, ...after.slice(1)] }),
      () => ({ kind: 'array', items: [...before, item, ...after] }),
      () => ({ kind: 'array', items: [...before, donor, ...after] }),
      () => ({ kind: 'array', items: [...node.items].reverse() }),
      () => ({
        kind: 'array',
        items: [...before, ...copies(many(rng, [2, 8, 64], [512, 10_000]), item, write(item).length)],
      }),
      () => ({ kind: 'array', items: [] }),
    ])();
  }
  const at = rng.below(Math.max(1, node.members.length));
  const [before, after] = [node.members.slice(0, at), node.members.slice(at + 1)];
  const [key, value] = node.members[at] ?? ['a', donor];
  const other = node.members[rng.below(Math.max(1, node.members.length))]?.[1] ?? donor;
  const object = (...members: (readonly [string, Tree])[]): Tree => ({
    kind: 'object',
    members: [...before, ...members, ...after],
  });
  return rng.pick<() => Tree>([
    () => object(),
    () => object([key, value], [key, value]),
    () => object([key, value], [key, rng.pick(values)(rng)]),
    () => object([rng.pick(hostileKeys), value]),
    () => object([key, value], [rng.pick(hostileKeys), rng.pick(values)(rng)]),
    () => object([alterText(key, rng), value]),
    () => object([key, other]),
    () => ({ kind: 'object', members: [...after, ...before, [key, value]] }),
    () =>
      object(
        [key, value],
        ...copies(many(rng, [1, 33], [2000]), other, write(other).length).map(
          (one, i) => [`k${String(i)}`, one] as const,
        ),
      ),
  ])();
}

/** The same JSON in another spelling, or spoilt around it. */
const respell: readonly ((text: string, rng: Rng) => string)[] = [
  (text) => ` ${text}`,
  (text) => `${text}\n`,
  (text) => `\ufeff${text}`,
  (text) => `${text}${text}`,
  (text) => JSON.stringify(text),
  (text, rng) =>
    text.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}${rng.pick(['', ' '])}`),
  (text) => text.replaceAll('/', '\\/'),
  (text) => text.replaceAll(':', ': '),
  (text) => text.slice(0, -1),
];

function parse(input: Uint8Array): Tree | null {
  try {
    return read(JSON.parse(Buffer.from(input).toString('utf8')));
  } catch {
    return null;
  }
}

/** One to three nodes altered; what is no JSON any more is left to the byte mutator. */
export const mutateJson: Mutator = (input, rng, others) => {
  const given = parse(input);
  if (given === null || input.length > maxGrowth) return mutateBytes(input, rng, others);
  const foreign = parse(rng.pick(others)) ?? given;
  let tree = given;
  for (let left = 1 + rng.below(rng.pick([1, 1, 3])); left > 0; left--) {
    const pair = rng.below(5) === 0 ? counterpart(tree, foreign, rng) : null;
    if (pair !== null) {
      tree = changed(tree, pair[0], () => pair[1]);
      continue;
    }
    const donor = rng.pick([...nodes(rng.below(2) === 0 ? foreign : tree)]);
    tree = changed(tree, rng.pick([...nodes(tree)]), (node) => alter(node, rng, donor));
  }
  const text = write(tree);
  return new Uint8Array(Buffer.from(rng.below(12) === 0 ? rng.pick(respell)(text, rng) : text));
};
