/*
 * Every target by its name. A new one is a function that makes a Target (../engine/target.ts), and one line here.
 */
import { type MakeTarget } from '../engine/target.js';
import * as bindings from './bindings.js';
import * as ciphertexts from './ciphertexts.js';
import * as commandLine from './command-line.js';
import * as headers from './headers.js';
import * as keyrings from './keyrings.js';
import * as lies from './lies.js';
import * as names from './names.js';
import { options } from './options.js';

export const targets: Readonly<Record<string, MakeTarget>> = {
  record: ciphertexts.record,
  'object-whole': ciphertexts.objectWhole,
  'object-range': ciphertexts.objectRange,
  'object-head': ciphertexts.objectHead,
  'object-stream': ciphertexts.objectStream,
  'direct-header': headers.directHeader,
  'direct-header-resealed': headers.directHeaderResealed,
  metadata: headers.metadata,
  'epoch-first': bindings.epochFirst,
  'epoch-next': bindings.epochNext,
  'epoch-first-signed': bindings.epochFirstSigned,
  'epoch-next-signed': bindings.epochNextSigned,
  'epoch-next-by-root': bindings.epochNextByRoot,
  'wrap-object': bindings.wrapObject,
  'root-wrapped': bindings.rootWrapped,
  context: names.context,
  name: names.objectName,
  ids: names.ids,
  trust: names.trust,
  'key-uri': names.keyUri,
  policy: names.policy,
  config: names.config,
  'local-keys': names.localKeysText,
  'keyring-content': keyrings.keyringContent,
  'keyring-file': keyrings.keyringFile,
  'cli-config': commandLine.cliConfig,
  'cli-signing': commandLine.cliSigning,
  'cli-arguments': commandLine.cliArguments,
  options,
  'store-lies': lies.storeLies,
  'kms-lies': lies.kmsLies,
};
