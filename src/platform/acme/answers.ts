import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../clock.ts';
import type { HttpTls } from '../http/tls.ts';
import type { Random } from '../random.ts';
import type { AcmeRequest } from './conversation.ts';
import { challengeCertificate, emptyCertificate, toPem } from './der.ts';

/** The name by which an authority asks for the proof of RFC 8737, on the desk's own HTTPS port. */
const proofProtocol = 'acme-tls/1';
const challengePath = '/.well-known/acme-challenge/';

/** What this desk answers while it proves that a name is its own. */
export interface ChallengeAnswers {
  present: AcmeRequest['present'];
  /** The text at a path of port 80, if that path is a challenge under way. */
  textAt(path: string): string | undefined;
  /** The certificate for a name whose challenge is under way. */
  certificateFor(name: string): { key: string; cert: string } | undefined;
}

export function openAnswers({ clock, random }: { clock: Clock; random: Random }): ChallengeAnswers {
  const texts = new Map<string, string>();
  const certificates = new Map<string, { key: string; cert: string }>();
  return {
    present({ type, domain, token, keyAuthorization }) {
      if (type === 'http-01') {
        texts.set(token, keyAuthorization);
        return () => texts.delete(token);
      }
      const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
      const cert = challengeCertificate(
        { name: domain, keyAuthorization, serial: random.bytes(15), from: clock.now() },
        key,
      );
      certificates.set(domain, {
        key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
        cert: toPem('CERTIFICATE', cert),
      });
      return () => certificates.delete(domain);
    },
    textAt: (path) => (path.startsWith(challengePath) ? texts.get(path.slice(challengePath.length)) : undefined),
    certificateFor: (name) => certificates.get(name.toLowerCase()),
  };
}

/**
 * The HTTPS side. A client that asks for `acme-tls/1` gets the proof and nothing else. While there is no certificate
 * every other client is turned away before a certificate is sent (or, when it names no protocol, right after the
 * handshake and before a byte of HTTP): no page and no event ever travels under a certificate that nobody vouches for.
 */
export function tlsDoor(answers: ChallengeAnswers, hasCertificate: () => boolean): Omit<HttpTls, 'context'> {
  return {
    chooseProtocol(this: TLSSocket, { servername, protocols }) {
      if (protocols.includes(proofProtocol)) {
        const proof = answers.certificateFor(servername);
        if (proof === undefined) return undefined;
        this.setKeyCert(proof);
        return proofProtocol;
      }
      return hasCertificate() && protocols.includes('http/1.1') ? 'http/1.1' : undefined;
    },
    admits: (socket) => hasCertificate() && socket.alpnProtocol !== proofProtocol,
  };
}

/** Stands in the engine's hand until there is a certificate: without any it would not come to ask for the protocol. */
export function noCertificateYet({ clock, random }: { clock: Clock; random: Random }): { key: string; cert: string } {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const cert = toPem('CERTIFICATE', emptyCertificate({ serial: random.bytes(15), from: clock.now() }, key));
  return { key: key.export({ type: 'pkcs8', format: 'pem' }) as string, cert };
}

/**
 * The side of plain HTTP: answers challenges, sends people who look at a page on to HTTPS and refuses all else: a program
 * or a snippet that was sent on would go on showing what it sends to the network, and nobody would notice.
 */
export interface PlainHttp {
  port: number;
  close(): Promise<void>;
}

/** @returns the system's error code when it cannot listen there */
export async function openPlainHttp(options: {
  host: string;
  port: number;
  answers: ChallengeAnswers;
  domains: readonly string[];
  /** Where people should go; its port is kept, its name is that of the request when that is one of ours. */
  publicUrl: string;
  hasCertificate: () => boolean;
  /** Paths of the collection plane, the tracker's among them: no person opens one, so none is sent on. */
  collection: readonly string[];
}): Promise<PlainHttp | { code: string }> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5_000 },
    (request, response) => {
      request.resume();
      const url = request.url ?? '/';
      const text = options.answers.textAt(url);
      if (text !== undefined) return reply(response, 200, text);
      if (!options.hasCertificate())
        return reply(response, 503, 'This desk waits for its certificate. Try again in a minute.\n', {
          'retry-after': '60',
        });
      const path = url.split('?', 1)[0] as string;
      const isReading = request.method === 'GET' || request.method === 'HEAD';
      if (options.collection.includes(path) && request.headers.authorization === undefined)
        return reply(response, 403, 'Tracker and events go over HTTPS only: write https:// in the snippet.\n');
      if (!isReading || path.startsWith('/api/') || request.headers.authorization !== undefined)
        return reply(
          response,
          403,
          'Calls are answered over HTTPS only. A key or password that this one carried has been shown to the network: renew it.\n',
        );
      reply(response, 301, 'This desk answers on HTTPS.\n', {
        location: `${secureOrigin(options, request.headers.host)}${url.startsWith('/') ? url : '/'}`,
      });
    },
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  return new Promise((resolve) => {
    server.on('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? 'unknown' }));
    server.listen({ host: options.host, port: options.port }, () => {
      const bound = server.address();
      resolve({
        port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
        close: () => closed(server),
      });
    });
  });
}

/** Only to names of ours: a redirect to whatever a request claims would be everybody's to use. */
function secureOrigin({ domains, publicUrl }: { domains: readonly string[]; publicUrl: string }, host = ''): string {
  const asked = host.replace(/:\d+$/, '').toLowerCase();
  const { port, hostname } = new URL(publicUrl);
  const name = domains.includes(asked) ? asked : hostname;
  return `https://${name}${port === '' ? '' : `:${port}`}`;
}

function reply(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
