import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What all tests of C2SP/wycheproof have in common. */
export interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** Every test of a file in `test/vectors/`, each with the members of its group. */
export function wycheproof<T extends WycheproofTest>(fileName: string): T[] {
  const text = readFileSync(join(__dirname, '../vectors', fileName), 'utf8');
  // The files are unchanged copies; their schemas are in the repository they come from.
  const file = JSON.parse(text) as { numberOfTests: number; testGroups: { tests: T[] }[] };
  const tests = file.testGroups.flatMap(({ tests, ...group }) =>
    tests.map((test) => ({ ...group, ...test })),
  );
  if (tests.length !== file.numberOfTests) throw new Error(`${fileName} is incomplete`);
  return tests;
}
