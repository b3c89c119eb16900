export type { ConformanceCase } from './case.js';
export { keyProviderCases, type KeyProviderSubject } from './key-provider.js';
export { objectStoreCases } from './object-store.js';
