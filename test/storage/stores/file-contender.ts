/*
 * What another process does to a file store, for file.test.ts: `increment <root> <times>` or `hold <root> <lock>`.
 */
import { withFencedLock } from '../../../src/internal/fenced-lock.js';
import { fileStore } from '../../../src/storage/stores/file/index.js';
import { increment } from './increment.js';

async function main([task, root = '', argument = '']: readonly string[]): Promise<void> {
  if (task === 'increment') {
    const store = fileStore(root);
    for (let i = 0; i < Number(argument); i++) await increment(store);
    return;
  }
  await withFencedLock(argument, `${root}/@tmp`, undefined, () => {
    process.stdout.write('held');
    return new Promise(() => setInterval(() => undefined, 1000));
  });
}

void main(process.argv.slice(2));
