import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendFile } from './file_answer.ts';

/** Larger than what two sockets keep for a receiver that takes nothing. */
const bytes = 24 * 1024 * 1024;
const idleMs = 1_500;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-file-'));
const path = join(folder, 'file');
let sent: Promise<void> = Promise.resolve();
const server = createServer((request, response) => {
  sent = sendFile(request, response, { path, type: 'text/plain', name: 'file' }, {}, idleMs);
});

beforeAll(async () => {
  writeFileSync(path, Buffer.alloc(bytes, 'x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

function ask(): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
  return socket;
}

it('a receiver that takes nothing is cut, and its file is closed', async () => {
  const socket = ask();
  const [request] = await once(server, 'request');
  await sent;
  expect(request.socket.destroyed).toBe(true);
  let got = 0;
  socket.on('data', (piece: Buffer) => {
    got += piece.length;
  });
  socket.on('error', () => {});
  socket.resume();
  await new Promise((done) => socket.once('close', done));
  expect(got).toBeGreaterThan(0);
  expect(got).toBeLessThan(bytes);
});

it('a slow one gets all of it, though it takes longer than that', async () => {
  const socket = ask();
  let got = 0;
  let pauses = 0;
  // A megabyte, then a rest: four seconds in all, and never as long without anything.
  const restEvery = 1024 * 1024;
  socket.on('data', (piece: Buffer) => {
    const before = Math.floor(got / restEvery);
    got += piece.length;
    if (Math.floor(got / restEvery) === before) return;
    pauses++;
    socket.pause();
    setTimeout(() => socket.resume(), 170);
  });
  const ended = once(socket, 'end');
  socket.resume();
  await ended;
  await sent;
  expect(got).toBeGreaterThan(bytes);
  expect(pauses * 170).toBeGreaterThan(idleMs);
}, 30_000);
