import fs from 'node:fs';
import net from 'node:net';

/**
 * Put before the product with `node --import`: writes down where the process opens a connection to, a line each, into
 * the file that PROOF_CONNECTIONS names. Every client of Node ends in this one method. Unix sockets are left out.
 */
const file = process.env.PROOF_CONNECTIONS;
if (file !== undefined) {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
    const [first, second] = (Array.isArray(args[0]) ? args[0] : args) as [unknown, unknown];
    const options = (typeof first === 'object' && first !== null ? first : { port: first, host: second }) as {
      path?: string;
      port?: unknown;
      host?: unknown;
    };
    const isSocketFile = options.path !== undefined || (typeof first === 'string' && first.startsWith('/'));
    if (!isSocketFile) fs.appendFileSync(file, `${options.host ?? 'localhost'}:${options.port}\n`);
    return (connect as (...args: unknown[]) => net.Socket).apply(this, args);
  } as typeof connect;
}
