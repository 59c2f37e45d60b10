import type { Socket } from 'node:net';

/**
 * Requests that never were whole: no handler answers them, node:http's parser and clock do. 431 where the head is larger than is read, 408
 * where a part took too long, 400 for what is no HTTP.
 */
interface Unread {
  /** An error of the parser has a code that begins with HPE. */
  readonly code?: string | undefined;
  /** What was being read when it happened. */
  readonly rawPacket?: Buffer;
}

const statusTexts = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
} as const;
type UnreadStatus = keyof typeof statusTexts;

const answered = new WeakMap<Socket, UnreadStatus>();

/**
 * Answers what cannot be read as a request and ends its connection. It has no route, so it may have been meant for the collection plane: any
 * page may read this answer, or its browser would report a fault of the network instead.
 * @returns what was answered; undefined where nobody is there any more
 */
export function answerUnread({ code = '' }: Unread, socket: Socket): UnreadStatus | undefined {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return undefined;
  }
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  answered.set(socket, status);
  socket.end(
    `HTTP/1.1 ${status} ${statusTexts[status]}\r\nAccess-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: cross-origin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  return status;
}

/** What was answered on a connection whose request had a head, and whose body never was whole; undefined where its sender hung up. */
export function answeredUnread(socket: Socket): UnreadStatus | undefined {
  return answered.get(socket);
}

/** The first line of a head that was too large, where it is in what was being read: heads come in one piece as a rule. */
export function lineOfUnread({ rawPacket }: Unread): { method: string; url: string } | undefined {
  const [, method, url] =
    /^([A-Z]{3,10}) (\/[!-~]*) HTTP\/1\.[01]\r?\n/.exec(rawPacket?.toString('latin1') ?? '') ?? [];
  return method === undefined || url === undefined ? undefined : { method, url };
}
