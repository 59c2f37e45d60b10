import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** What this process's own listener answers, as a visitor would get it. */
export type AskSelf = (question: {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}) => Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>;

const answerMsMax = 10_000;
/** What is beyond is not read: an answer of the API is smaller. */
const answerBytesMax = 2 ** 20;

/**
 * For the live checks: a request to the process itself, over its own socket. It goes to no network, so it is not for
 * platform/outbound, which refuses addresses of this machine.
 */
export function openAskSelf(listener: { host: string; port: number; publicUrl: string; tls: boolean }): AskSelf {
  const { host, port, publicUrl, tls } = listener;
  const { host: name, hostname } = new URL(publicUrl);
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const options = { host: address, port, method, path, agent: false, headers: { host: name, ...headers } };
      // The certificate is for the public name, and this is the process that holds it: there is nobody to mistake it for.
      const request = tls
        ? tlsRequest({ ...options, servername: hostname, rejectUnauthorized: false })
        : plainRequest(options);
      request.setTimeout(answerMsMax, () => request.destroy(new Error('The desk did not answer itself.')));
      request.on('error', reject);
      request.on('response', (response) => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        response.on('data', (piece: Buffer) => {
          if (bytes < answerBytesMax) pieces.push(piece);
          bytes += piece.length;
        });
        response.on('error', reject);
        response.on('end', () => {
          const said = Buffer.concat(pieces).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: said });
        });
      });
      request.end(body);
    });
}
