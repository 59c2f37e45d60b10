import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { openAuthority } from '../../emulators/acme_certificates.ts';
import { openCertificateFiles } from './certificate_files.ts';
import { systemClock } from './clock.ts';
import { ConfigError } from './config.ts';
import { openHttp } from './http/server.ts';
import { openLog, silentLog } from './log.ts';
import { systemRandom } from './random.ts';
import { dayMs } from './zone.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const authority = openAuthority(Date.now());
function pair(days: number): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const until = Date.now() + days * dayMs;
  const cert = authority.issue({ names: ['desk.test'], publicKey, from: Date.now() - dayMs, until });
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}
function folder() {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-tls-'));
  closers.push(() => rmSync(path, { recursive: true }));
  const files = { certFile: join(path, 'fullchain.pem'), keyFile: join(path, 'privkey.pem') };
  /** As certificate clients do it: the whole file takes the place of the old one. */
  function put(file: string, text: string) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
  return { files, put };
}
async function listen(files: { certFile: string; keyFile: string }) {
  const lines: string[] = [];
  const log = openLog(systemClock, (line) => lines.push(line));
  const opened = openCertificateFiles(files, { log, everyMs: 20 });
  const http = await openHttp({
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'https://desk.test',
    trustedProxies: 0,
    tls: { context: opened.context },
    routes: [],
    fast: {},
    files: undefined,
    authenticate: async () => undefined,
    clock: systemClock,
    random: systemRandom,
    log,
  });
  opened.watch(http.renewTls);
  closers.push(async () => {
    opened.stop();
    await http.close(0);
  });
  return { opened, lines, port: http.address.port, close: http.close };
}
function shown(port: number, maxVersion: 'TLSv1.1' | 'TLSv1.3' = 'TLSv1.3'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'desk.test',
      ca: authority.root,
      maxVersion,
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('replaced files are read without a restart', () => {
  it.each([
    ['the certificate first', ['certFile', 'keyFile']],
    ['the key first', ['keyFile', 'certFile']],
  ] as const)('%s, and the old pair goes on in between', async (_order, order) => {
    const { files, put } = folder();
    const texts = (of: ReturnType<typeof pair>) => ({ certFile: of.cert, keyFile: of.key });
    const [old, renewed] = [texts(pair(5)), texts(pair(90))];
    for (const one of order) put(files[one], old[one]);
    const desk = await listen(files);
    const before = await shown(desk.port);
    expect(Math.round((desk.opened.until() - Date.now()) / dayMs)).toBe(5);
    put(files[order[0]], renewed[order[0]]);
    await until(() => desk.lines.some((line) => line.includes('certificate.files_do_not_fit')));
    expect(await shown(desk.port)).toBe(before);
    put(files[order[1]], renewed[order[1]]);
    await until(async () => (await shown(desk.port)) !== before);
    expect(await shown(desk.port)).toMatch(/^11[0-9A-F]{30}$/);
    expect(Math.round((desk.opened.until() - Date.now()) / dayMs)).toBe(90);
  });
});

it('an older protocol than TLS 1.2 is refused', async () => {
  const { files, put } = folder();
  const { cert, key } = pair(5);
  put(files.certFile, cert);
  put(files.keyFile, key);
  const { port } = await listen(files);
  expect(await shown(port, 'TLSv1.1')).toMatch(/PROTOCOL_VERSION/);
  expect(await shown(port)).toMatch(/^11/);
});

it('a client that does not finish its handshake does not hold up a stop', async () => {
  const { files, put } = folder();
  const { cert, key } = pair(5);
  put(files.certFile, cert);
  put(files.keyFile, key);
  const { port, close } = await listen(files);
  const silent = createConnection({ host: '127.0.0.1', port });
  const ended = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => {});
  await shown(port);
  await close(0);
  await ended;
});

describe('files that cannot be used stop the start with the setting that names them', () => {
  const good = pair(5);
  it.each<[string, { cert?: string; key?: string }, string, RegExp]>([
    ['a key of another certificate', { cert: good.cert, key: pair(5).key }, 'FAIRLEAD_TLS_KEY', /does not belong/],
    ['a certificate that is none', { cert: 'hello', key: good.key }, 'FAIRLEAD_TLS_CERT', /no PEM/],
    ['a key that is none', { cert: good.cert, key: 'hello' }, 'FAIRLEAD_TLS_KEY', /no PEM/],
    ['a key that is not there', { cert: good.cert }, 'FAIRLEAD_TLS_KEY', /cannot be read \(ENOENT\)/],
  ])('%s', (_what, { cert, key }, variable, problem) => {
    const { files, put } = folder();
    if (cert !== undefined) put(files.certFile, cert);
    if (key !== undefined) put(files.keyFile, key);
    let problems: unknown;
    try {
      openCertificateFiles(files, { log: silentLog });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems = error.problems;
    }
    expect(problems).toMatchObject([{ variable, problem: expect.stringMatching(problem) }]);
  });
});
