import { type ObjectStore } from '../storage/store.js';
import { type ConformanceCase } from './case.js';
import { Trial } from './object-store/trial.js';
import { contentCases } from './object-store/contents.js';
import { failureCases } from './object-store/failures.js';
import { listingCases } from './object-store/listings.js';
import { nameCases } from './object-store/names.js';
import { versionCases } from './object-store/versions.js';

/**
 * The contract of {@link ObjectStore} as cases for any test runner. `make` is called once per case and may give the same
 * store every time, also one with objects in it: each case works in a folder `conformance-<random>` of its own, and
 * leaves its objects there. The store must promise conditional creation and replacement.
 */
export function objectStoreCases(make: () => Promise<ObjectStore>): ConformanceCase[] {
  const cases = [...contentCases, ...versionCases, ...failureCases, ...nameCases, ...listingCases];
  return cases.map(([name, run]) => ({
    name,
    run: async () => {
      await run(new Trial(await make(), `conformance-${crypto.randomUUID()}/case`));
    },
  }));
}
