/*
 * Stores an object of as many bytes as the argument says, reads it back, and prints the most memory that this process ever
 * held, in bytes. The store keeps a hash of the object and nothing else: asked for the object, it has it encrypted anew,
 * as it goes, so that no size needs a disk.
 */
import { createHash } from 'node:crypto';
import { memoryStore } from 'keybound/memory';
import { drain, makeNamespace, repeated } from './world.mjs';

const size = Number(process.argv[2]);
const name = 'large';
const inner = memoryStore();
let known;

const acme = await makeNamespace({
  ...inner,
  location: inner.location,
  describe: () => inner.describe(),
  head: (key, options) => inner.head(key, options),
  delete: (key, options) => inner.delete(key, options),
  list: (folder, options) => inner.list(folder, options),
  folders: (folder, options) => inner.folders(folder, options),
  async put(key, source, options) {
    if (key.name !== name) return inner.put(key, source, options);
    const hash = createHash('sha256');
    let stored = 0;
    for await (const piece of source) {
      hash.update(piece);
      stored += piece.length;
    }
    known = { size: stored, version: hash.digest('hex') };
    return known;
  },
  async get(key, options) {
    if (key.name !== name) return inner.get(key, options);
    return { ...known, bytes: await acme.encryptStream(name, repeated(size)) };
  },
});

await acme.put(name, repeated(size));
await drain(await acme.get(name), size);
// Kilobytes, on every platform.
console.log(process.resourceUsage().maxRSS * 1024);
