import { existsSync, readFileSync, statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import type { Clock } from '../../platform/clock.ts';
import { dayOf, isGrace } from './salt.ts';

/**
 * Is the salt on the disk the one of today, alone, in its own place (PSE-03, PSE-07)? It reads the days of the file and no
 * salt goes further than this function.
 * @param collects does this process take events at all?
 */
export function saltCheck(parts: { file: string; dataDir: string; clock: Clock; collects: boolean }): LiveCheck {
  return {
    id: 'salt',
    what: 'visitor salt',
    proves: ['PSE-03', 'PSE-07'],
    every: 'day',
    audience: 'everyone',
    run: async () => look(parts),
  };
}

function look({ file, dataDir, clock, collects }: Parameters<typeof saltCheck>[0]): CheckResult {
  if (!collects) return { state: 'not_run', fact: 'this process takes no events; the salt is where they come in' };
  if (!existsSync(file))
    return {
      state: 'wrong',
      fact: 'there is no salt file beside the key file',
      todo: 'Look for salt_file_not_written in the log, and at the rights of that folder.',
    };
  const wrong: string[] = [];
  const way = relative(dataDir, file);
  if (!way.startsWith(`..${sep}`)) wrong.push('it lies inside the data directory, which is backed up');
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0) wrong.push(`others may read it (mode ${mode.toString(8)})`);
  for (const left of ['.old', '.new']) if (existsSync(`${file}${left}`)) wrong.push(`a former one is left (${left})`);
  const now = clock.now();
  const today = dayOf(now);
  const days = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => Number(line.split(' ')[0]));
  const allowed = isGrace(now) ? [today, today - 1] : [today];
  if (days.some((day) => !allowed.includes(day))) wrong.push('it holds the salt of a day that is over');
  if (wrong.length > 0)
    return {
      state: 'wrong',
      fact: wrong.join('; '),
      todo: 'Move or repair the file, then restart: the desk destroys what is too old.',
    };
  const ageMs = now - today * 86_400_000;
  return {
    state: 'ok',
    fact: `${Math.floor(ageMs / 3_600_000)} h ${Math.floor((ageMs % 3_600_000) / 60_000)} min old, of today alone, outside the data directory`,
  };
}
