export const errnoOf = (error: unknown): string | undefined =>
  // Node's system errors carry a string code; anything else does not count as one.
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

export const isMissing = (error: unknown): boolean => errnoOf(error) === 'ENOENT';
