import { type CryptoEngine } from '../../src/crypto/engine.js';
import { nodeEngine } from '../../src/crypto/node.js';
import { portableEngine } from '../../src/crypto/portable.js';

/** Both engines, for `describe.each`. */
export const engines: readonly CryptoEngine[] = [nodeEngine, portableEngine];

export { nodeEngine, portableEngine };
