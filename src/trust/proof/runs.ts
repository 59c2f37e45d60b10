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
    const made = await postgres.system(async (sql) => {
      const before = await readRows(sql, compared);
      const previous = before[0]?.signature ?? null;
      const signature = signer.sign(signedText({ made_at: at, kind, findings, previous }));
      const { id } = await sql.one<{ id: number }>(
        'INSERT INTO self_audits (made_at, worst, findings, kind, previous, signature) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id',
        [at, worst, JSON.stringify(findings), kind, previous, signature],
      );
      const run: StoredRun = { id, made_at: at, kind, worst, findings, previous, signature };
      const [shown] = shownRuns([run, ...before], signer.publicKey) as [CheckRun];
      await audit.record(sql, 'desk', {
        action: 'proof.run',
        ...(by ?? { actor: { type: 'system' } }),
        details: { kind, worst, checks: findings.length, turned_red: shown.turned_red.join(' ') },
      });
      return shown;
    });
    await postgres.retention((sql) => sql.one('SELECT retention.delete_old_self_audits($1) AS gone', [at]));
    return made;
  }

  return {
    run,
    read: async (most) =>
      shownRuns(await postgres.system((sql) => readRows(sql, most + compared)), signer.publicKey).slice(0, most),
    async lastWholeMs() {
      const last = await postgres.system((sql) =>
        sql.maybe<{ made_at: Date }>("SELECT made_at FROM self_audits WHERE kind <> 'daily' ORDER BY id DESC LIMIT 1"),
      );
      return last?.made_at.getTime() ?? 0;
    },
    keyName: keyName(signer.publicKey),
  };
}

function readRows(sql: Sql, most: number): Promise<StoredRun[]> {
  return sql.query<StoredRun>(
    'SELECT id, made_at, kind, worst, findings, previous, signature FROM self_audits ORDER BY id DESC LIMIT $1',
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

/** @param rows the newest first; the last ones serve to compare with */
function shownRuns(rows: readonly StoredRun[], publicKey: string): CheckRun[] {
  const last = new Map<string, string>();
  let signedBefore: string | null = null;
  const shown = rows.toReversed().map((row): CheckRun => {
    const findings = row.findings.map((one) => ({ ...one, check: one.check ?? one.what }));
    const seen = findings.filter(({ state }) => state !== 'not_run');
    const isNew = (isRed: boolean, check: string) =>
      isRed ? last.get(check) !== 'wrong' : last.get(check) === 'wrong';
    const turned = (isRed: boolean) =>
      seen.filter((one) => (one.state === 'wrong') === isRed && isNew(isRed, one.check)).map(({ what }) => what);
    const [turned_red, turned_well] = [turned(true), turned(false)];
    for (const { check, state } of seen) last.set(check, state);
    // Of the oldest that was read, the one before is not at hand.
    const follows = row === rows.at(-1) || row.previous === signedBefore;
    signedBefore = row.signature;
    return {
      ...{ id: row.id, made_at: row.made_at.toISOString(), kind: row.kind, worst: row.worst, findings },
      ...{ turned_red, turned_well },
      signature:
        row.signature === null
          ? 'none'
          : follows &&
              isSignature(signedText({ ...row, findings }), row.signature, publicKey) &&
              worstOf(findings) === row.worst
            ? 'holds'
            : 'broken',
    };
  });
  return shown.reverse();
}
