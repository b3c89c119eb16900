/*
 * The engine of the code under test, whose random bytes are seeded: the same input does the same thing again.
 */
import { type CryptoEngine } from '../../../src/crypto/engine.js';
import { nodeEngine } from '../../../src/crypto/node.js';
import { Rng } from '../../support/rng.js';

let rng = new Rng(1);

export function reseed(seed: number): void {
  rng = new Rng(seed);
}

export const engine: CryptoEngine = { ...nodeEngine, randomBytes: (length) => rng.bytes(length) };
