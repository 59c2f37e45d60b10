import { readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeHeapSnapshot } from 'node:v8';

/**
 * `edge_memory.ts <product root>`: takes events whose rows wait for the disk, and looks for their addresses in a
 * snapshot of the memory. An address is put together when it is sent, so that no other text of this process holds it.
 */
const [root = ''] = process.argv.slice(2);
const { openRig } = (await import(
  pathToFileURL(join(root, 'src/analytics/ingest/rig.ts')).href
)) as typeof import('../../../src/analytics/ingest/rig.ts');

const rig = openRig();
const addressOf = (n: number) => [203, 0, 113, 100 + n].join('.');
const send = (n: number) =>
  rig.ingest.take(
    { n: 'pageview', u: `https://shop.example/${n}`, d: 'shop.example' },
    {
      address: addressOf(n),
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      headers: { 'accept-language': 'en' },
      principal: undefined,
    },
    () => {},
  );
rig.events.hold();
for (let n = 0; n < 8; n++) send(n);
// Engines remember the last text that a pattern was tried on; that one is not looked for.
for (let n = 50; n < 60; n++) send(n);
// What is known to be in memory must show.
const known = { control: addressOf(90) };
await new Promise((resolve) => setTimeout(resolve, 20));
(globalThis as { gc?: () => void }).gc?.();
const file = writeHeapSnapshot(join(tmpdir(), `fairlead-edge-${process.pid}.heapsnapshot`));
const snapshot = readFileSync(file, 'latin1');
rmSync(file);
const strings = snapshot.slice(snapshot.lastIndexOf('"strings":['));
const holds = (n: number) => strings.includes(addressOf(n));
const held = Array.from({ length: 8 }, (_, n) => n).filter(holds).length;
const isKnown = holds(90) && known.control !== '';
rig.events.release();
writeSync(1, JSON.stringify({ held, control: isKnown, strings: strings.split('",').length }));
