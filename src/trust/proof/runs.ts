import { hash } from 'node:crypto';
import type { CheckFinding, CheckRun } from '../../../contract/proof.ts';
import type { Act } from '../../platform/audit.ts';
import type { LiveCheck } from '../../platform/checks.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { isSignature, keyName, type Signer, signerOf } from '../audit/index.ts';

/**
 * Runs the live checks and keeps what they found (OPS-03): signed, each run naming the signature of the one before, compared
 * with the last result of each check, for a year.
 */
export interface Runs {
  run(kind: CheckRun['kind'], checks: readonly LiveCheck[], by?: Pick<Act, 'actor' | 'request'>): Promise<CheckRun>;
  /** The newest first. */
  read(most: number): Promise<CheckRun[]>;
  /** Those of which somebody has to be told still, the oldest first. */
  untold(): Promise<CheckRun[]>;
  told(id: number): Promise<void>;
  /** When all checks last ran; 0 for never. */
  lastWholeMs(): Promise<number>;
  keyName: string;
}

interface StoredRun {
  id: number;
  made_at: Date;
  kind: CheckRun['kind'];
  worst: CheckRun['worst'];
  findings: (Omit<CheckFinding, 'check'> & { check?: string })[];
  previous: string | null;
  signature: string | null;
  /** Null while somebody has to be told of it. */
  told_at: Date | null;
  /** It has no signature, although one before it has: somebody took it off. */
  is_stripped: boolean;
}
/** A check that runs by the week was last seen within so many daily runs. */
const compared = 40;
/** A check that hangs must not keep the others from running. */
const checkMsMax = 10 * 60_000;

export function openRuns({
  postgres,
  clock,
  keys,
  audit,
  log,
}: Pick<House, 'postgres' | 'clock' | 'keys' | 'audit' | 'log'>): Runs {
  const signer: Signer = signerOf(keys.derive('audit-checkpoint'));

  async function look(check: LiveCheck): Promise<CheckFinding> {
    const { id, what } = check;
    let callOff = () => {};
    const late = new Promise<never>((_resolve, reject) => {
      callOff = clock.after(checkMsMax, () => reject(new Error('it did not end within ten minutes')));
    });
    try {
      return { check: id, what, ...(await Promise.race([check.run(), late])) };
    } catch (error) {
      log.error('proof.check_failed', { check: id }, error);
      return { check: id, what, state: 'not_run', fact: 'it could not look; the log says why (proof.check_failed)' };
    } finally {
      callOff();
    }
  }

  async function run(kind: CheckRun['kind'], checks: readonly LiveCheck[], by?: Pick<Act, 'actor' | 'request'>) {
    const findings: CheckFinding[] = [];
    for (const check of checks) if (kind !== 'daily' || check.every === 'day') findings.push(await look(check));
    const worst = worstOf(findings);
    const at = new Date(clock.now());
    return postgres.system(async (sql) => {
      const before = await readRows(sql, compared);
      // A run that was cut off is the one before all the same: this one shows the gap for as long as it is kept.
      const previous = (await cutOff(sql, before[0])) ?? before[0]?.signature ?? null;
      const signature = signer.sign(signedText({ made_at: at, kind, findings, previous }));
      const run: StoredRun = {
        ...{ id: 0, made_at: at, kind, worst, findings, previous, signature, told_at: null, is_stripped: false },
      };
      const [shown] = shownRuns([run, ...before], signer.publicKey) as [CheckRun];
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO self_audits (made_at, worst, findings, kind, previous, signature, told_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
        [
          ...[at, worst, JSON.stringify(findings), kind, previous, signature],
          shown.turned_red.length === 0 ? at : null,
        ],
      );
      await audit.record(sql, 'desk', {
        action: 'proof.run',
        ...(by ?? { actor: { type: 'system' } }),
        // In the chain of the audit log, whose heads are signed outside of the database: the newest run cannot go unseen.
        targets: [{ type: targetType, id: nameOf(signature) }],
        details: { kind, worst, checks: findings.length, turned_red: shown.turned_red.join(' ') },
      });
      return { ...shown, id };
    });
  }

  return {
    run,
    read: async (most) =>
      shownRuns(await postgres.system((sql) => readRows(sql, most + compared)), signer.publicKey).slice(0, most),
    async untold() {
      const rows = await postgres.system((sql) => readRows(sql, compared));
      const waiting = new Set(rows.filter(({ told_at }) => told_at === null).map(({ id }) => id));
      return shownRuns(rows, signer.publicKey)
        .filter(({ id }) => waiting.has(id))
        .reverse();
    },
    told: (id) =>
      postgres.system(async (sql) => {
        await sql.run('UPDATE self_audits SET told_at = $2 WHERE id = $1', [id, new Date(clock.now())]);
      }),
    async lastWholeMs() {
      const last = await postgres.system((sql) =>
        sql.maybe<{ made_at: Date }>("SELECT made_at FROM self_audits WHERE kind <> 'daily' ORDER BY id DESC LIMIT 1"),
      );
      return last?.made_at.getTime() ?? 0;
    },
    keyName: keyName(signer.publicKey),
  };
}

const targetType = 'live-checks';

/** What the audit log knows a run by. */
const nameOf = (signature: string) => hash('sha256', signature).slice(0, 32);

/** @returns what the audit log calls the newest run, where that is not the newest that is stored */
async function cutOff(sql: Sql, newest: Pick<StoredRun, 'signature'> | undefined): Promise<string | undefined> {
  const last = await sql.maybe<{ name: string | null }>(
    `SELECT targets->0->>'id' AS name FROM audit.entries
     WHERE organisation_id = 0 AND action = 'proof.run' ORDER BY seq DESC LIMIT 1`,
  );
  const name = last?.name ?? undefined;
  return name === undefined || name === nameOf(newest?.signature ?? '') ? undefined : name;
}

/** Is the newest stored result the one that the audit log has as the newest? A result that was taken out is seen by the next look. */
export function newestRunCheck({ postgres }: Pick<House, 'postgres'>): LiveCheck {
  return {
    id: 'newest-result',
    what: 'results of live checks',
    proves: ['OPS-03'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const cut = await postgres.system(async (sql) => cutOff(sql, (await readRows(sql, 1))[0]));
      return cut === undefined
        ? { state: 'ok', fact: 'the newest stored result is the one that the audit log names' }
        : {
            state: 'wrong',
            fact: 'the newest stored result was taken out: the audit log names one that is not there',
            todo: 'Find out who could write to the database.',
          };
    },
  };
}

function readRows(sql: Sql, most: number): Promise<StoredRun[]> {
  return sql.query<StoredRun>(
    `SELECT id, made_at, kind, worst, findings, previous, signature, told_at,
       signature IS NULL AND id > (SELECT min(id) FROM self_audits WHERE signature IS NOT NULL) IS TRUE AS is_stripped
     FROM self_audits ORDER BY id DESC LIMIT $1`,
    [most],
  );
}

function worstOf(findings: readonly { state: string }[]): CheckRun['worst'] {
  const states = findings.map(({ state }) => state);
  return states.includes('wrong') ? 'wrong' : states.includes('look') ? 'look' : 'ok';
}

/** In one order whatever the database makes of the JSON. */
function signedText({
  made_at,
  kind,
  findings,
  previous,
}: Pick<StoredRun, 'made_at' | 'kind' | 'findings' | 'previous'>) {
  const lines = findings.map(({ check, what, state, fact, todo }) => [check ?? what, what, state, fact, todo ?? null]);
  return JSON.stringify(['fairlead live checks', 1, made_at.toISOString(), kind, previous, lines]);
}

/**
 * What was changed after it was signed is compared with nothing: it could hide that a check turned red.
 * @param rows the newest first; the last ones serve to compare with
 */
function shownRuns(rows: readonly StoredRun[], publicKey: string): CheckRun[] {
  const last = new Map<string, string>();
  let signedBefore: string | null = null;
  const shown = rows.toReversed().map((row): CheckRun => {
    const findings = row.findings.map((one) => ({ ...one, check: one.check ?? one.what }));
    // Of the oldest that was read, the one before is not at hand.
    const follows = row === rows.at(-1) || row.previous === signedBefore;
    const signature = signatureOf({ ...row, findings }, follows, publicKey);
    const seen = signature === 'broken' ? [] : findings.filter(({ state }) => state !== 'not_run');
    const isNew = (isRed: boolean, check: string) =>
      isRed ? last.get(check) !== 'wrong' : last.get(check) === 'wrong';
    const turned = (isRed: boolean) =>
      seen.filter((one) => (one.state === 'wrong') === isRed && isNew(isRed, one.check)).map(({ what }) => what);
    const [turned_red, turned_well] = [turned(true), turned(false)];
    for (const { check, state } of seen) last.set(check, state);
    signedBefore = row.signature;
    return {
      ...{ id: row.id, made_at: row.made_at.toISOString(), kind: row.kind, worst: row.worst, findings },
      ...{ turned_red, turned_well, signature },
    };
  });
  return shown.reverse();
}

function signatureOf(
  row: StoredRun & { findings: CheckFinding[] },
  follows: boolean,
  publicKey: string,
): CheckRun['signature'] {
  if (row.signature === null) return row.is_stripped ? 'broken' : 'none';
  const isGenuine = isSignature(signedText(row), row.signature, publicKey) && worstOf(row.findings) === row.worst;
  return !isGenuine ? 'broken' : follows ? 'holds' : 'gap';
}
