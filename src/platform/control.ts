import { chmodSync, existsSync, unlinkSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

/**
 * The door for commands on this machine while the server runs: HTTP on a 0600 Unix socket in the data directory.
 * Whoever can open it can read the data directory anyway, so it asks for no further credentials.
 * A command is `POST /<name>?<arguments>` with a stream as body, and answers NDJSON lines: progress, then the result.
 */
export type ControlCommand = (
  args: URLSearchParams,
  body: AsyncIterable<Buffer>,
  say: (line: unknown) => void,
) => Promise<unknown>;

/** The whole of a body that is known to be small. @throws ControlError when it is larger than it may be */
export async function readWhole(body: AsyncIterable<Buffer>, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > bytesMax) throw new ControlError(`The input is larger than the ${bytesMax} bytes this command takes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export interface ControlServer {
  close(): Promise<void>;
}

export async function openControl(
  socketPath: string,
  commands: Record<string, ControlCommand>,
): Promise<ControlServer> {
  if (existsSync(socketPath)) unlinkSync(socketPath);
  const server = createServer({ requestTimeout: 0 }, (request, response) => void answer(commands, request, response));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => resolve());
    });
  } finally {
    process.umask(before);
  }
  chmodSync(socketPath, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  commands: Record<string, ControlCommand>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://control');
  const command = commands[url.pathname.slice(1)];
  response.writeHead(command === undefined ? 404 : 200, { 'content-type': 'application/x-ndjson' });
  const say = (line: unknown) => void response.write(`${JSON.stringify(line)}\n`);
  if (command === undefined)
    say({
      error: { message: `The running server has no command ${url.pathname.slice(1)}. Restart it after an upgrade.` },
    });
  else {
    try {
      // A command that has nothing to say has answered all the same.
      say({ result: (await command(url.searchParams, request, (progress) => say({ progress }))) ?? null });
    } catch (error) {
      say({
        error: {
          message: error instanceof Error ? error.message : 'It failed.',
          code: (error as { code?: unknown }).code,
        },
      });
    }
  }
  response.end();
}

export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/**
 * Sends one command to the running server.
 * @returns the command's result
 * @throws ControlError with the server's own sentence; rejects with ECONNREFUSED or ENOENT when none is running
 */
export function askControl(options: {
  socketPath: string;
  command: string;
  args?: Record<string, string>;
  body?: NodeJS.ReadableStream | string;
  onProgress?: (progress: unknown) => void;
}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        socketPath: options.socketPath,
        method: 'POST',
        path: `/${options.command}?${new URLSearchParams(options.args)}`,
      },
      (response) => {
        let rest = '';
        let result: { value: unknown } | undefined;
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          const lines = (rest + part).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const said = JSON.parse(line) as { progress?: unknown; result?: unknown; error?: { message: string } };
            if (said.error !== undefined) reject(new ControlError(said.error.message));
            else if ('result' in said) result = { value: said.result };
            else options.onProgress?.(said.progress);
          }
        });
        response.on('end', () =>
          result === undefined
            ? reject(new ControlError('The server ended the connection before it answered. Look at its log.'))
            : resolve(result.value),
        );
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    if (typeof options.body === 'string' || options.body === undefined) request.end(options.body);
    else options.body.pipe(request);
  });
}
