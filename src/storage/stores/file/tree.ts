import { join } from 'node:path';
import { sweepLeftovers } from '../../../internal/leftovers.js';
import { type ObjectKey } from '../../store.js';
import { exists, makeFolder } from './disk.js';
import { entryOf, isHashed, lockName, nameMark, objectMark, scratchName } from './names.js';
import { keepName } from './scratch.js';

/** So many folders are remembered as durable, before they are forgotten and looked at again. */
const maxKnown = 10_000;
/** What nobody has changed for so long goes also if nobody can tell whether its process lives. */
const leftoverAgeMs = 7 * 24 * 60 * 60 * 1000;
/** A process that writes sweeps at once, and then so often: other processes may die while it lives. */
const sweepEveryMs = 60_000;

/** The files of one object. */
export interface ObjectPlace {
  readonly folder: string;
  readonly file: string;
  readonly lock: string;
  /** Where its true name is kept, if `file` does not tell it. */
  readonly nameFile: string | null;
}

/** Where things lie below a store's root. */
export class Tree {
  readonly scratch: string;
  readonly #known = new Set<string>();
  #sweptAt = -Infinity;

  constructor(readonly root: string) {
    this.scratch = join(root, scratchName);
  }

  folder(folder: string): string {
    return join(this.root, ...folder.split('/').map(entryOf));
  }

  place(key: ObjectKey): ObjectPlace {
    const folder = this.folder(key.folder);
    const entry = entryOf(key.name);
    return {
      folder,
      file: join(folder, entry + objectMark),
      lock: join(this.scratch, lockName(key.folder, key.name)),
      nameFile: isHashed(entry) ? join(folder, entry + nameMark) : null,
    };
  }

  /** Makes the root and its scratch folder, and clears that of leftovers. */
  async makeRoot(): Promise<void> {
    if (!(await this.#knows(this.scratch))) {
      // What is above a root that its owner made is the owner's: this process may not even read it.
      if (!(await exists(this.root))) await makeFolder(this.root);
      await makeFolder(this.scratch);
      this.#remember(this.scratch);
    }
    const now = performance.now();
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    await sweepLeftovers(this.scratch, leftoverAgeMs);
  }

  /** Makes a folder, with everything that listings need, durably. */
  async make(folder: string): Promise<void> {
    await this.makeRoot();
    if (await this.#knows(this.folder(folder))) return;
    let path = this.root;
    for (const segment of folder.split('/')) {
      const entry = entryOf(segment);
      path = join(path, entry);
      if (await this.#knows(path)) continue;
      await makeFolder(path);
      if (isHashed(entry)) await keepName(this.scratch, join(path, nameMark), segment);
      this.#remember(path);
    }
  }

  /** Whether this process has made sure of a folder, and nobody has removed it since. */
  async #knows(path: string): Promise<boolean> {
    return this.#known.has(path) && (await exists(path));
  }

  #remember(path: string): void {
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.add(path);
  }
}
