import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { openAuthority } from '../../emulators/acme_certificates.ts';
import { homeIn, startDesk } from './drivers/desk.ts';
import { CannotProve, load, must, type Proof, type ProofContext } from './kit.ts';

const dayMs = 86_400_000;
const name = 'desk.test';
const authority = openAuthority(Date.now());
function certificate(): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [from, until] = [Date.now() - dayMs, Date.now() + 30 * dayMs];
  const cert = authority.issue({ names: [name], publicKey, from, until });
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** Node's own library would not offer what is too old unless it is asked to. */
const old: ConnectionOptions & TlsOptions = {
  minVersion: 'TLSv1',
  maxVersion: 'TLSv1.1',
  ciphers: 'DEFAULT@SECLEVEL=0',
};

/** @returns the version that was agreed on, or undefined when the server would not */
function handshake(port: number, options: ConnectionOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: name, rejectUnauthorized: false, ...options }, () => {
      resolve(socket.getProtocol() ?? undefined);
      socket.destroy();
    });
    socket.on('error', () => resolve(undefined));
  });
}

function headersOf(port: number, path: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, host: '127.0.0.1', path, servername: name, headers: { host: name }, rejectUnauthorized: false },
      (answer) => {
        answer.resume();
        resolve(answer.headers);
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** What the desk's one door to the network makes of a server with a certificate that nobody vouches for. */
async function outboundTo(context: ProofContext): Promise<string> {
  const { openOutbound } = await load<typeof import('../../src/platform/outbound/index.ts')>(
    context,
    'src/platform/outbound/index.ts',
  );
  const { systemClock } = await load<typeof import('../../src/platform/clock.ts')>(context, 'src/platform/clock.ts');
  const { silentLog } = await load<typeof import('../../src/platform/log.ts')>(context, 'src/platform/log.ts');
  let asked = 0;
  const server = createServer(certificate(), (_request, answer) => {
    asked++;
    answer.end('secret');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outbound = openOutbound({
    gate: async () => undefined,
    config: { outboundAllow: [name] },
    ...{ clock: systemClock, log: silentLog },
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  const { port } = server.address() as AddressInfo;
  const answer = await outbound.send({ method: 'GET', url: `https://${name}:${port}/`, purpose: 'proof' });
  await outbound.close();
  server.closeAllConnections();
  server.close();
  if (asked > 0) return 'answered';
  return 'failed' in answer ? answer.failed : 'answered';
}

export const proofs: readonly Proof[] = [
  {
    id: 'CRY-05',
    title: 'The desk speaks TLS 1.2 and newer, says so for a year, and trusts no certificate that nobody vouches for.',
    async run(context) {
      const went = await outboundTo(context);
      must(went === 'tls_failed', `A server with a certificate of its own making: ${went}.`);
      // A server that does take old versions shows that this client offers them.
      const lax = createTlsServer({ ...certificate(), ...old });
      await new Promise<void>((resolve) => lax.listen(0, '127.0.0.1', resolve));
      const agreed = await handshake((lax.address() as AddressInfo).port, old);
      lax.close();
      if (agreed !== 'TLSv1.1') throw new CannotProve(`This client cannot offer TLS 1.1: ${agreed}.`);
      const home = homeIn(await context.folder());
      mkdirSync(home.keysDir, { recursive: true });
      const files = { cert: join(home.folder, 'fullchain.pem'), key: join(home.folder, 'privkey.pem') };
      const pair = certificate();
      writeFileSync(files.cert, pair.cert);
      writeFileSync(files.key, pair.key, { mode: 0o600 });
      const desk = await startDesk(context.root, home, {
        env: {
          FAIRLEAD_TLS_CERT: files.cert,
          FAIRLEAD_TLS_KEY: files.key,
          FAIRLEAD_PUBLIC_URL: `https://${name}`,
        },
      });
      try {
        must((await handshake(desk.port, old)) === undefined, 'The desk agrees on TLS 1.1.');
        const versions = [];
        for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
          versions.push(await handshake(desk.port, { minVersion: version, maxVersion: version }));
          must(versions.at(-1) === version, `The desk does not speak ${version}.`);
        }
        const paths = ['/', '/sign-in', '/api/session', '/nothing'];
        for (const path of paths) {
          const said = String((await headersOf(desk.port, path))['strict-transport-security'] ?? '');
          const seconds = Number(/max-age=(\d+)/.exec(said)?.[1] ?? 0);
          must(seconds >= 31_536_000, `${path} says "${said}" of staying with HTTPS.`);
        }
        return `TLS 1.1 refused by the desk and taken by another server, ${versions.join(' and ')} spoken; HSTS of a year on ${paths.length} answers; outbound refused a certificate that nobody vouches for`;
      } finally {
        await desk.stop();
      }
    },
    sabotage: {
      name: 'outbound takes every certificate',
      file: 'src/platform/outbound/outbound.ts',
      find: 'rejectUnauthorized: true,',
      replace: 'rejectUnauthorized: false,',
    },
  },
];
