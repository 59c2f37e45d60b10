import type { SecureContextOptions } from 'node:tls';
import { openCertificateKeeper } from '../platform/acme/index.ts';
import { openCertificateFiles } from '../platform/certificate_files.ts';
import type { HttpTls } from '../platform/http/tls.ts';
import type { Gauge, House } from '../platform/subject.ts';

/** Where the certificate of the listener comes from: files of the operator, or ACME. */
export interface Certificates {
  tls: HttpTls;
  begin(renewed: (context: SecureContextOptions) => void): Promise<void>;
  gauges: Gauge[];
  /** For `/readyz`: sentences without names. */
  warnings(): string[];
  stop(): Promise<void>;
}

/** A certificate that ends sooner is said on `/readyz` and by the doctor. */
export const certificateWarnMs = 14 * 86_400_000;

/** @returns undefined when the desk is asked for plain HTTP */
export function openCertificates(
  house: Pick<House, 'config' | 'outbound' | 'clock' | 'random' | 'log'>,
  collection: readonly string[],
  say: (line: string) => void,
): Certificates | undefined {
  const { config, clock, log } = house;
  if (config.acme !== undefined) {
    const keeper = openCertificateKeeper({ ...house, config: { ...config, acme: config.acme }, collection, say });
    return {
      ...keeper,
      warnings() {
        const { certificate, failures } = keeper.state();
        if (certificate === undefined) return ['There is no certificate yet: run "fairlead doctor" to see why.'];
        return endWarning(certificate.until, clock.now(), failures > 0 ? 'its renewal fails' : undefined);
      },
    };
  }
  if (config.tls === undefined) return undefined;
  const files = openCertificateFiles(config.tls, { log });
  return {
    tls: { context: files.context },
    begin: async (renewed) => files.watch(renewed),
    gauges: [
      {
        name: 'fairlead_certificate_ends_timestamp_seconds',
        help: 'When the certificate of the HTTPS listener ends (Unix time).',
        kind: 'gauge',
        read: () => Math.round(files.until() / 1000),
      },
    ],
    warnings: () => endWarning(files.until(), clock.now()),
    stop: async () => files.stop(),
  };
}

function endWarning(until: number, now: number, because?: string): string[] {
  const days = Math.floor((until - now) / 86_400_000);
  const reason = because === undefined ? '' : `, and ${because}`;
  if (until <= now) return [`The certificate of the HTTPS listener has ended${reason}.`];
  return until - now < certificateWarnMs
    ? [`The certificate of the HTTPS listener ends in ${days} days${reason}.`]
    : [];
}
