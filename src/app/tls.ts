import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import type { Config } from '../platform/config.ts';

/** How often renewed certificate files are looked for. Certificate clients replace them weeks before the old ones end. */
const lookEveryMs = 60_000;

/** Reads certificate files, and again whenever they are replaced, so that a renewal needs no restart. */
export function readCertificate(tls: { certFile: string; keyFile: string }): SecureContextOptions {
  return { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
}

export function watchCertificate(
  tls: NonNullable<Config['tls']>,
  renewed: (context: SecureContextOptions) => void,
): () => void {
  const look = () => {
    try {
      renewed(readCertificate(tls));
    } catch {
      // Half-written at this moment; the next change is seen again.
    }
  };
  watchFile(tls.certFile, { interval: lookEveryMs, persistent: false }, look);
  return () => unwatchFile(tls.certFile, look);
}
