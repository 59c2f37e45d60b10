import net, { type AddressInfo } from 'node:net';

export interface DeadStore {
  /** The address to give to the product instead of the store's own. */
  url: string;
  /** The store is gone: running connections break, new ones are cut at once. */
  away(): void;
  /** The store is there again. */
  back(): void;
  /** The next answers (chunks from the store) are lost: it did the work, and the connection broke before it said so. */
  loseAnswers(count: number): void;
  /** The next answers are these bytes instead, and the connection breaks behind them: the store did the work. */
  answerInstead(count: number, bytes: string): void;
  /** Every answer comes this much later. */
  slow(ms: number): void;
  close(): Promise<void>;
}

/** A door before a real store (ClickHouse over HTTP, Postgres over TCP) that can be shut, made slow, or made to lie. */
export async function deadStore(target: string): Promise<DeadStore> {
  const { hostname, port, protocol, pathname, search, username, password } = new URL(target);
  const sockets = new Set<net.Socket>();
  let isAway = false;
  let toLose = 0;
  let toReplace = 0;
  let instead = '';
  let delayMs = 0;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = net.createServer((client) => {
    keep(client);
    if (isAway) return void client.destroy();
    const store = net.connect(Number(port) || (protocol.startsWith('postgres') ? 5432 : 8123), hostname);
    keep(store);
    client.on('data', (bytes) => void store.write(bytes));
    client.on('close', () => store.destroy());
    store.on('close', () => client.destroy());
    store.on('data', (bytes) => {
      if (toLose > 0) {
        toLose--;
        client.destroy();
        return;
      }
      if (toReplace > 0) {
        toReplace--;
        client.end(instead);
        return;
      }
      if (delayMs === 0) client.write(bytes);
      else setTimeout(() => client.destroyed || client.write(bytes), delayMs);
    });
  });
  function keep(socket: net.Socket) {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const credentials = username === '' ? '' : `${username}:${password}@`;
  return {
    url: `${protocol}//${credentials}127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`,
    away() {
      isAway = true;
      cut();
    },
    back() {
      isAway = false;
    },
    loseAnswers(count) {
      toLose = count;
    },
    answerInstead(count, bytes) {
      toReplace = count;
      instead = bytes;
    },
    slow(ms) {
      delayMs = ms;
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
