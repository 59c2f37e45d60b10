import { type CertificateState, readCertificateState } from '../platform/acme/index.ts';
import { endOfCertificateFiles } from '../platform/certificate_files.ts';
import { type Config, ConfigError } from '../platform/config.ts';
import { dayMs } from '../platform/zone.ts';
import type { Finding } from './doctor.ts';
import { certificateWarnMs } from './tls.ts';

const what = 'certificate';

/** What `doctor` says of HTTPS. Reads files only, so it works whether or not the desk runs. */
export function certificateFindings(config: Config, now: number): Finding[] {
  if (config.acme !== undefined) return acmeFindings({ ...config, acme: config.acme }, now);
  if (config.tls === undefined) return [];
  try {
    return [lifeFinding(endOfCertificateFiles(config.tls), now, 'Renew it; new files are read within a minute.')];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, problem, fix }) => ({
      what: variable,
      state: 'wrong' as const,
      fact: problem,
      todo: fix,
    }));
  }
}

function acmeFindings(config: Config & { acme: NonNullable<Config['acme']> }, now: number): Finding[] {
  const state = readCertificateState(config);
  const obstacles = state.obstacles.map((fact) => ({ what, state: 'look' as const, fact }));
  const { hostname } = new URL(config.publicUrl);
  return [
    ...certificateFinding(state, now),
    ...(config.acme.domains.includes(hostname)
      ? []
      : [
          {
            what,
            state: 'look' as const,
            fact: `FAIRLEAD_PUBLIC_URL leads to ${hostname}, which is none of the names in FAIRLEAD_ACME_DOMAINS`,
            todo: 'Add it there, unless something in front has a certificate for it.',
          },
        ]),
    // What stands in the way matters while something does not come.
    ...(state.failures > 0 || state.certificate === undefined ? obstacles : []),
  ];
}

function certificateFinding(state: CertificateState, now: number): Finding[] {
  const { certificate, failed } = state;
  const tried =
    failed === undefined
      ? undefined
      : `${state.failures} attempt(s) failed, the last on ${minute(failed.at)}: ${failed.sentence} The desk asks again ${
          state.nextAttempt > now ? `after ${minute(state.nextAttempt)}` : 'by itself'
        }, and when it is started anew.`;
  if (certificate === undefined)
    return [
      {
        what,
        state: tried === undefined ? 'look' : 'wrong',
        fact: `there is none yet for ${state.domains.join(', ')}`,
        todo: tried ?? `The desk fetches it from ${state.authority} when it is started.`,
      },
    ];
  const missing = state.domains.filter((name) => !certificate.names.includes(name));
  const life = lifeFinding(certificate.until, now, tried ?? 'The desk renews it while it runs: is it running?');
  if (missing.length > 0)
    return [
      life,
      {
        what,
        state: 'wrong',
        fact: `it is not for ${missing.join(', ')}`,
        todo: tried ?? 'The desk fetches another one when it is started.',
      },
    ];
  if (life.state === 'ok' && tried !== undefined)
    return [{ what, state: 'look', fact: `${life.fact}, but its renewal fails`, todo: tried }];
  return [
    life.state === 'ok' ? { ...life, fact: `${life.fact}, renewed from ${minute(certificate.renewAt)} on` } : life,
  ];
}

function lifeFinding(until: number, now: number, todo: string): Finding {
  const days = Math.floor((until - now) / dayMs);
  if (until <= now) return { what, state: 'wrong', fact: `it ended ${-days} day(s) ago`, todo };
  return until - now < certificateWarnMs
    ? { what, state: 'look', fact: `${days} days left`, todo }
    : { what, state: 'ok', fact: `${days} days left` };
}

function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
