/*
 * Record = "KBD" 0x01 ‖ u32 generation ‖ CB(NK_record, ctx("record"), m)                         SPEC.md §6
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { IntegrityFailure } from '../errors.js';
import { concat, readU32 } from '../internal/bytes.js';
import { openBody, sealBody } from './chunked-body.js';
import { expectForm, form, generationPrefix } from './form.js';
import { type IdentityDigest } from './identity.js';

const prefixLength = 8;

/** `recordKey` is NK_record of `generation`. `salt` only for known-answer tests. */
export function sealRecord(
  engine: CryptoEngine,
  recordKey: Uint8Array,
  generation: number,
  identity: IdentityDigest,
  plaintext: Uint8Array,
  salt?: Uint8Array,
): Uint8Array {
  return concat(
    generationPrefix(form.record, generation),
    sealBody(engine, recordKey, identity.context('record'), plaintext, salt),
  );
}

/** The generation whose key opens this record: unauthenticated until it did. */
export function recordGeneration(record: Uint8Array): number {
  expectForm(record, form.record);
  if (record.length < prefixLength) throw new IntegrityFailure('record cut short');
  return readU32(record, 4);
}

export function openRecord(
  engine: CryptoEngine,
  recordKey: Uint8Array,
  identity: IdentityDigest,
  record: Uint8Array,
): Uint8Array {
  return openBody(engine, recordKey, identity.context('record'), record.subarray(prefixLength));
}
