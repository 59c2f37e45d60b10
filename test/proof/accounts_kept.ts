import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { must, type Proof } from './kit.ts';
import { mustNotBeFound, scanUsedDesk } from './used_desk.ts';

/** Promises about what a desk keeps of the people who sign in, shown on the used desk (see used_desk.ts, account_work.ts). */
export const proofs: readonly Proof[] = [
  {
    id: 'AUT-01',
    title:
      'A password is kept as bcrypt of cost 12 over a keyed pre-hash, and nowhere in clear: no file, log, dump or backup.',
    minutes: 2,
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'password', 'A password was kept');
      const { hashes, secrets } = desk.accounts;
      must(hashes.length >= 2, 'There are no passwords.');
      for (const hash of hashes)
        must(/^hs384:\$2b\$12\$[./\w]{53}$/.test(hash), `A hash is no bcrypt of cost 12: ${hash.slice(0, 12)}`);
      const passwords = secrets.filter(({ kind }) => kind === 'password').length;
      return `${passwords} passwords, right and wrong, of people, a share and the mail server, in none of ${found.files} files; ${hashes.length} hashes, all hs384:$2b$12$`;
    },
    sabotage: {
      name: 'the log says what was typed',
      file: 'src/accounts/people/sign_in_routes.ts',
      find: 'const { password, proof } = request.body;',
      replace: 'const { password, proof } = request.body; console.log(password);',
    },
  },
  {
    id: 'CRY-12',
    title: 'No secret is in a log, an error, a metric or an export.',
    minutes: 2,
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      const places = /(^|\/)(desk\.log|metrics|sent-mail|events|audit\.csv|audit\.ndjson|desk-audit\.csv)$|\baccess\//;
      const finds = found.finds.filter(
        ({ group, file }) => (group === 'secret' || group === 'password') && places.test(file),
      );
      mustNotBeFound({ ...found, finds }, 'secret', 'A secret was told');
      mustNotBeFound({ ...found, finds }, 'password', 'A password was told');
      const log = readFileSync(desk.log, 'utf8').split('\n').length;
      const taken = readdirSync(desk.taken).map((name) => statSync(join(desk.taken, name)).size);
      must(log > 20 && taken.length >= 6 && taken.every((size) => size > 100), 'There is nothing to look through.');
      return `${desk.accounts.secrets.length} passwords, tokens, codes and keys, right and wrong ones, in none of ${log} lines of the log, the access log, the metrics, both audit logs, the list of sent mail and an export of events`;
    },
    sabotage: {
      name: 'log and metrics name addresses in place of their pattern',
      file: 'src/platform/http/server.ts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
      find: ' ${route.path}`;',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
      replace: ' ${request.url}`;',
    },
  },
  {
    id: 'accounts-secrets',
    title: 'No token, code, key or sealed value is anywhere in clear after a desk was worked with.',
    minutes: 2,
    async run(context) {
      const { desk, found } = await scanUsedDesk(context);
      mustNotBeFound(found, 'secret', 'A secret was kept');
      const names = new Set(desk.accounts.secrets.filter(({ kind }) => kind === 'secret').map(({ name }) => name));
      return `${names.size} kinds (${[...names].slice(0, 5).join(', ')} …) in none of ${found.files} files, the write-ahead log and a dump of every table among them`;
    },
    sabotage: {
      name: 'a key is kept as the name of itself',
      file: 'src/accounts/api_keys.ts',
      find: 'input.name,\n          keys.digest(',
      replace: 'key,\n          keys.digest(',
    },
  },
];
