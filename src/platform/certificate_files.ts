import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { type Config, ConfigError } from './config.ts';
import type { Log } from './log.ts';

/** The operator's certificate files, read at start and whenever they are replaced, so that a renewal needs no restart. */
export interface CertificateFiles {
  context: SecureContextOptions;
  /** When the certificate in use ends, in milliseconds since the epoch. */
  until(): number;
  /** `renewed` is told of each new pair that fits. */
  watch(renewed: (context: SecureContextOptions) => void): void;
  stop(): void;
}

/** How often replaced files are looked for. Certificate clients replace them weeks before the old ones end. */
const lookEveryMs = 60_000;

/** @throws ConfigError when the files cannot be read or do not belong together */
export function openCertificateFiles(
  files: NonNullable<Config['tls']>,
  { log, everyMs = lookEveryMs }: { log: Log; everyMs?: number },
): CertificateFiles {
  const first = readPair(files);
  let { until } = first;
  let look = () => {};
  return {
    context: first.context,
    until: () => until,
    watch(renewed) {
      // Either file may be replaced before the other, so a change of either is a reason to read both.
      look = () => {
        try {
          const pair = readPair(files);
          renewed(pair.context);
          until = pair.until;
          log.info('certificate.read');
        } catch {
          // Half-written, or one of two so far: the old pair goes on, and the next change is seen again.
          log.warn('certificate.files_do_not_fit');
        }
      };
      for (const file of [files.certFile, files.keyFile])
        watchFile(file, { interval: everyMs, persistent: false }, look);
    },
    stop() {
      for (const file of [files.certFile, files.keyFile]) unwatchFile(file, look);
    },
  };
}

/**
 * What the doctor wants to know of them without using them.
 * @throws ConfigError as above
 */
export function endOfCertificateFiles(files: NonNullable<Config['tls']>): number {
  return readPair(files).until;
}

function readPair({ certFile, keyFile }: NonNullable<Config['tls']>): { context: SecureContextOptions; until: number } {
  const cert = read('FAIRLEAD_TLS_CERT', certFile, (pem) => new X509Certificate(pem));
  const key = read('FAIRLEAD_TLS_KEY', keyFile, (pem) => createPrivateKey(pem));
  if (!cert.parsed.checkPrivateKey(key.parsed))
    throw refusal('FAIRLEAD_TLS_KEY', 'the key does not belong to the certificate in FAIRLEAD_TLS_CERT.');
  return { context: { cert: cert.pem, key: key.pem }, until: Date.parse(cert.parsed.validTo) };
}

function read<T>(variable: string, file: string, parse: (pem: Buffer) => T): { pem: Buffer; parsed: T } {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    throw refusal(variable, `the file cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  try {
    return { pem, parsed: parse(pem) };
  } catch {
    throw refusal(variable, 'the file is no PEM that can be read.');
  }
}

function refusal(variable: string, problem: string): ConfigError {
  return new ConfigError([{ variable, problem, fix: 'Write the path of a PEM file that this user may read.' }]);
}
