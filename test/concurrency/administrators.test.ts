import { describe, expect, it } from 'vitest';
import { administrators, met } from './administrators.js';
import { explore } from './explore.js';
import { refusals } from './refusals.js';

describe('eight processes that create, suspend, resume, rotate, put and get', () => {
  explore('end as the documents allow, and lose nothing', administrators, 60);

  if (process.env['KEYBOUND_SEED'] !== undefined) return;
  it('meet every outcome that the documents name', () => {
    const outcomes = Object.entries(refusals).flatMap(([call, codes]) =>
      ['done', ...codes].map((code) => `${call}: ${code}`),
    );
    expect([...met.keys()]).toEqual(expect.arrayContaining(outcomes));
  });
});
