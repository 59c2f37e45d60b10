import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, linkSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makePrivateFolder, writePrivateFile } from '../private_file.ts';
import { makeAccountKey } from './conversation.ts';
import { acmeReasons, type ChallengeType } from './failure.ts';

/**
 * What ACME needs from one start to the next, in a 0700 folder beside the key file: the key of the account, the
 * certificate with its key, and how the last attempts went. Never in the data directory, whose copies must carry no
 * key. An authority has a folder of its own, so that trying its test directory first leaves nothing in the way.
 */
export interface AcmeStore {
  accountKey(): string;
  /** Puts the account's key aside: the authority has closed that account. */
  setAccountAside(): void;
  /** The one that serves most of the names, and of those the one that ends last. */
  certificate(domains: readonly string[]): StoredCertificate | undefined;
  keepCertificate(name: string, issued: { key: string; chain: string }): void;
  history(): AcmeHistory;
  keepHistory(history: AcmeHistory): void;
}

export interface StoredCertificate {
  key: string;
  chain: string;
  names: string[];
  /** Milliseconds since the epoch. */
  from: number;
  until: number;
}

/** Kept across restarts, so that a desk that is started again and again does not ask again and again. */
export interface AcmeHistory {
  domains: string[];
  /** In a row, up to now. */
  failures: number;
  failed?: { at: number; reason: (typeof acmeReasons)[number]; sentence: string } | undefined;
  /** No attempt before, in milliseconds since the epoch. */
  notBefore: number;
  /** The same, as the authority itself has asked for it: a restart does not shorten it. */
  asked?: number | undefined;
  /** When the last certificate came. */
  issuedAt?: number | undefined;
  /** Which way of proof comes first at the next attempt. */
  challenge?: ChallengeType | undefined;
}

const historyShape = z.object({
  domains: z.array(z.string()),
  failures: z.int().nonnegative(),
  failed: z.object({ at: z.number(), reason: z.enum(acmeReasons), sentence: z.string() }).optional(),
  notBefore: z.number(),
  asked: z.number().optional(),
  issuedAt: z.number().optional(),
  challenge: z.enum(['tls-alpn-01', 'http-01']).optional(),
});

export function acmeFolder(of: { keyFile: string; directoryUrl: string }): string {
  const mark = createHash('sha256').update(of.directoryUrl).digest('hex').slice(0, 8);
  return join(dirname(of.keyFile), 'acme', `${new URL(of.directoryUrl).hostname.replace(/[^a-z0-9.-]/g, '_')}-${mark}`);
}

/** Opens it for reading and writing; nothing is made before something is written. */
export function openAcmeStore(folder: string): AcmeStore {
  const accountFile = join(folder, 'account.pem');
  const historyFile = join(folder, 'state.json');

  return {
    accountKey() {
      const have = textOf(accountFile);
      if (have !== undefined) return have;
      // Two desks that share a key folder share the account: whoever comes second uses what the first has made.
      const mine = `${accountFile}.${process.pid}`;
      writePrivately(mine, makeAccountKey());
      try {
        linkSync(mine, accountFile);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      } finally {
        rmSync(mine, { force: true });
      }
      return readFileSync(accountFile, 'utf8');
    },
    setAccountAside: () => renameSync(accountFile, `${accountFile}.closed`),
    certificate(domains) {
      const found = pemFiles(folder).flatMap((file) => readCertificateFile(join(folder, file)) ?? []);
      const served = (one: StoredCertificate) => domains.filter((name) => one.names.includes(name)).length;
      return found.filter((one) => served(one) > 0).sort((a, b) => served(b) - served(a) || b.until - a.until)[0];
    },
    // The key and the chain in one file: a crash between two would leave a pair that does not fit.
    keepCertificate: (name, { key, chain }) => replace(join(folder, `${name}.certificate.pem`), `${key}${chain}`),
    history() {
      const parsed = historyShape.safeParse(jsonOf(textOf(historyFile)));
      return parsed.data ?? { domains: [], failures: 0, notBefore: 0 };
    },
    keepHistory: (history) => replace(historyFile, `${JSON.stringify(history, undefined, 2)}\n`),
  };
}

function pemFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.certificate.pem'));
  } catch {
    return [];
  }
}

/** Undefined for a file that is damaged: a new certificate is fetched then. */
function readCertificateFile(file: string): StoredCertificate | undefined {
  const text = textOf(file) ?? '';
  const start = text.indexOf('-----BEGIN CERTIFICATE-----');
  return start < 0 ? undefined : readCertificate({ key: text.slice(0, start), chain: text.slice(start) });
}

/** What a certificate says of itself; undefined when it cannot be read or is not of that key. */
export function readCertificate({ key, chain }: { key: string; chain: string }): StoredCertificate | undefined {
  try {
    const leaf = new X509Certificate(chain);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return undefined;
    const names = [...(leaf.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1] as string);
    return { key, chain, names, from: Date.parse(leaf.validFrom), until: Date.parse(leaf.validTo) };
  } catch {
    return undefined;
  }
}

/** What cannot be read is as good as missing: the attempt to write it anew says what is wrong. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function replace(file: string, text: string): void {
  writePrivately(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function writePrivately(file: string, text: string): void {
  makePrivateFolder(dirname(file));
  rmSync(file, { force: true });
  writePrivateFile(file, text);
  chmodSync(file, 0o600);
}
