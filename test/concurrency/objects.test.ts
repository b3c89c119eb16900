import { describe } from 'vitest';
import { explore } from './explore.js';
import { creators, mixedWriters, plainWriters, readers, replacers } from './objects.js';

describe('64 writers of one name', () => {
  explore('all succeed, and the last one’s whole body stays', plainWriters, 20);
  explore('one creates it, the others are told that it exists', creators, 20);
  explore('one replaces the version that all name', replacers, 20);
  explore('with mixed conditions: each holds when it counts', mixedWriters, 20);
});

describe('64 readers of an object that is overwritten and deleted', () => {
  explore('each gets the bytes of one version, or is told that it went', readers, 60);
});
