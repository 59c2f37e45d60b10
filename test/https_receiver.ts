import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { openAuthority } from '../emulators/acme_certificates.ts';

/** A system of somebody else at https://localhost, with a certificate that this process trusts while it stands. */
export interface HttpsReceiver {
  readonly port: number;
  /** What came, in its order. */
  readonly came: { readonly body: string; readonly headers: IncomingHttpHeaders }[];
  /** What it answers from now on. */
  answer(status: number): void;
  close(): void;
}

export async function openHttpsReceiver(): Promise<HttpsReceiver> {
  const now = Date.now();
  const authority = openAuthority(now);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = authority.issue({ names: ['localhost'], publicKey, from: now - 60_000, until: now + 3_600_000 });
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, authority.root]);
  const came: { body: string; headers: IncomingHttpHeaders }[] = [];
  let status = 503;
  const server = createServer(
    { key: privateKey.export({ format: 'pem', type: 'pkcs8' }), cert },
    async (incoming, response) => {
      came.push({ body: (await incoming.toArray()).join(''), headers: incoming.headers });
      response.writeHead(status).end();
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    came,
    answer(next) {
      status = next;
    },
    close() {
      setDefaultCACertificates(trusted);
      server.close();
    },
  };
}
