/*
 * Options that several commands have.
 */
import { type Command } from 'commander';
import { collect } from '../arguments.js';

export interface NamespaceOptions {
  readonly trust?: string;
  readonly instance?: string;
}

/** Options of every command that opens a namespace. */
export const trusting = (command: Command): Command =>
  command
    .option('--trust <trust>', 'believe no binding older than this, as an administrative command printed it')
    .option('--instance <id>', 'the instance meant, if a namespace of this id was deleted and made again');

/** What of them is given on. */
export const openOptions = ({ trust, instance }: NamespaceOptions): NamespaceOptions => ({
  ...(trust === undefined ? {} : { trust }),
  ...(instance === undefined ? {} : { instance }),
});

export interface ContextOptions {
  readonly context?: readonly string[];
}

/** The option of every command that encrypts or decrypts. */
export const withContext = (command: Command): Command =>
  command.option(
    '--context <key=value>',
    'bound to the ciphertext, stored nowhere; may be repeated',
    collect,
  );
