import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attack } from './attacker.ts';
import { clockEnv } from './drivers/clock_travel.ts';
import { homeIn, rowsOf, runCommand, setUp, startDesk, storesOf } from './drivers/desk.ts';
import { CannotProve, load, must, type Proof } from './kit.ts';
import { exchange } from './used_desk.ts';

const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
const victims = ['203.0.113.77', '198.51.100.23', '2001:db8:7::42'];
const dayMs = 86_400_000;
const hourMs = 3_600_000;

export const proofs: readonly Proof[] = [
  {
    id: 'PSE-06',
    title:
      "Whoever copies everything after the rotation cannot recompute yesterday's ids, not even of people they know.",
    minutes: 3,
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
      // Noon of yesterday, then an hour after the salt has changed, which is when the attacker comes.
      const night = dayOf(Date.now()) * dayMs + hourMs;
      const noon = night - hourMs - dayMs / 2;
      const backups = join(folder, 'backups');
      const env = { FAIRLEAD_TRUSTED_PROXIES: '1', FAIRLEAD_BACKUP_DIR: backups };
      let recoveryKey = '';
      for (const at of [noon, night]) {
        const desk = await startDesk(root, home, { at: new Date(at), env });
        try {
          if (at === noon) await setUp(root, home, ['shop.example']);
          for (const from of victims)
            await exchange({
              ...{ port: desk.port, method: 'POST', path: '/api/event' },
              headers: { 'user-agent': userAgent, 'accept-language': 'en', 'x-forwarded-for': from },
              body: JSON.stringify({ n: 'pageview', u: 'https://shop.example/', d: 'shop.example' }),
            });
          await desk.drained();
          // One of each day: the last that there is was made within the hour in which the attacker takes everything.
          const run = { env: { ...env, ...clockEnv(new Date(at)) } };
          const hear = (said: string) => {
            recoveryKey = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){13}/.exec(said)?.[0] ?? '';
          };
          if (at === noon) await runCommand(root, home, { ...run, args: ['backup', 'new-key'], hear });
          await runCommand(root, home, { ...run, args: ['backup', 'make'] });
        } finally {
          await desk.stop();
          log += desk.output();
        }
      }
      const stores = storesOf(home);
      say('Opening the last backup as who has the recovery key …');
      const made = readdirSync(backups).filter((name) => /^fairlead-\d{8}T\d{6}Z\.backup$/.test(name));
      if (made.length !== 2) throw new CannotProve(`There are ${made.length} backups.`);
      const thief = homeIn(join(folder, 'thief'));
      mkdirSync(thief.folder, { recursive: true });
      const restored = await runCommand(root, thief, {
        args: ['restore', '--from', backups],
        input: recoveryKey,
        env: clockEnv(new Date(night)),
      });
      if (dayOf(Date.parse(JSON.parse(restored).made_at)) !== dayOf(night))
        throw new CannotProve(`The last backup is of ${JSON.parse(restored).made_at}.`);
      const logFile = join(folder, 'desk.log');
      writeFileSync(logFile, log);
      const [rows = []] = await rowsOf(root, home, 'SELECT site_id, visitor_id, toString(id_day) AS day FROM events');
      const idsOf = (ms: number) =>
        new Set(
          rows
            .filter(({ day }) => day === new Date(ms).toISOString().slice(0, 10))
            .map((row) => String(row.visitor_id)),
        );
      const [yesterday, today] = [idsOf(noon), idsOf(night)];
      if (yesterday.size !== victims.length || today.size !== victims.length)
        throw new CannotProve(`${yesterday.size} and ${today.size} ids were stored on the two days.`);
      say('Trying every 32 stored bytes as the salt …');
      const idOf = (salt: Buffer, site: number, address: string, agent: string) =>
        id64Text(visitorId(salt, site, address, agent));
      const siteId = Number(rows[0]?.site_id);
      // Everything: the data, every backup as it lies there and the last one opened, the logs, and the keys with today's salt.
      const opened = [...storesOf(thief), thief.keysDir];
      const tried = attack(
        [...stores, backups, ...opened, logFile, home.keysDir],
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
