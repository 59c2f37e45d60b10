import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { attack } from './attacker.ts';
import { homeIn, rowsOf, setUp, startDesk, storesOf } from './drivers/desk.ts';
import { CannotProve, load, must, type Proof } from './kit.ts';
import { exchange } from './used_desk.ts';

const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const victims = ['203.0.113.77', '198.51.100.23', '2001:db8:7::42'];
const dayMs = 86_400_000;

export const proofs: readonly Proof[] = [
  {
    id: 'PSE-06',
    title:
      "Whoever copies everything after the rotation cannot recompute yesterday's ids, not even of people they know.",
    minutes: 2,
    async run(context) {
      const { root, say } = context;
      const { visitorId, id64Text } = await load<typeof import('../../src/analytics/visits/visitor.ts')>(
        context,
        'src/analytics/visits/visitor.ts',
      );
      const folder = await context.folder();
      const home = homeIn(join(folder, 'home'));
      let log = '';
      const dayOf = (ms: number) => Math.floor(ms / dayMs);
      // Noon of yesterday, then noon of today: a whole day and its grace have passed in between.
      const noon = dayOf(Date.now()) * dayMs + dayMs / 2;
      for (const at of [noon - dayMs, noon]) {
        const desk = await startDesk(root, home, { at: new Date(at), env: { FAIRLEAD_TRUSTED_PROXIES: '1' } });
        try {
          if (at !== noon) await setUp(root, home, ['shop.example']);
          for (const from of victims)
            await exchange({
              ...{ port: desk.port, method: 'POST', path: '/api/event' },
              headers: { 'user-agent': userAgent, 'accept-language': 'en', 'x-forwarded-for': from },
              body: JSON.stringify({ n: 'pageview', u: 'https://shop.example/', d: 'shop.example' }),
            });
          await desk.drained();
        } finally {
          await desk.stop();
          log += desk.output();
        }
      }
      const stores = storesOf(home);
      const backup = join(folder, 'backup.tar');
      execFileSync('tar', ['-cf', backup, ...stores.flatMap((store) => ['-C', dirname(store), basename(store)])]);
      const logFile = join(folder, 'desk.log');
      writeFileSync(logFile, log);
      const [rows = []] = await rowsOf(root, home, 'SELECT site_id, visitor_id, toString(id_day) AS day FROM events');
      const idsOf = (ms: number) =>
        new Set(
          rows
            .filter(({ day }) => day === new Date(ms).toISOString().slice(0, 10))
            .map((row) => String(row.visitor_id)),
        );
      const [yesterday, today] = [idsOf(noon - dayMs), idsOf(noon)];
      if (yesterday.size !== victims.length || today.size !== victims.length)
        throw new CannotProve(`${yesterday.size} and ${today.size} ids were stored on the two days.`);
      say('Trying every 32 stored bytes as the salt …');
      const idOf = (salt: Buffer, site: number, address: string, agent: string) =>
        id64Text(visitorId(salt, site, address, agent));
      const siteId = Number(rows[0]?.site_id);
      // Everything: the data, the backup, the logs, and the folder of keys with the salt of today.
      const tried = attack(
        [...stores, backup, logFile, home.keysDir],
        { siteId, address: victims[0] as string, userAgent },
        new Set([...yesterday, ...today]),
        idOf,
      );
      const old = tried.hits.find(({ id }) => yesterday.has(id));
      must(old === undefined, `Yesterday's id of ${victims[0]} was recomputed with a salt from ${old?.file}.`);
      const [found] = tried.hits;
      const recomputed = victims.filter(
        (address) => found !== undefined && today.has(idOf(found.salt, siteId, address, userAgent)),
      );
      if (recomputed.length !== victims.length)
        throw new CannotProve(
          `The attacker is too weak: with today's salt before him he knew ${recomputed.length} ids.`,
        );
      const wrong = tried.hits.find(({ file }) => file !== 'visitor.salts');
      must(wrong === undefined, `Today's salt lies in ${wrong?.file}.`);
      return `${Math.round(tried.windowsTried / 1000)} thousand windows of ${Math.round(tried.bytes / 1e6)} MB tried: today's ${today.size} ids recomputed from the salt file, of yesterday's ${yesterday.size} none`;
    },
    sabotage: {
      name: 'files of old salts are kept',
      file: 'src/analytics/visits/salt.ts',
      find: 'if (existsSync(file)) linkSync(file, old);',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
      replace: 'if (existsSync(file)) linkSync(file, `${file}.${salts[0]?.day}`);',
    },
  },
];
