import { crashPoint } from '../../platform/crash_point.ts';
import type {
  DataSubject,
  Erased,
  FoundRows,
  HeldRows,
  Identifier,
  IdentifierKind,
  PersonalDataHolder,
} from '../../platform/personal_data.ts';
import { aloneIn, everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { keyName, signerOf } from '../audit/index.ts';
import { backupDaysMax } from '../backup/index.ts';
import { classesBeside, holdsInForce } from '../windows/index.ts';
import { backupsWith, scanFiles } from './file_scan.ts';
import { gather, identifierOf, inOrder } from './subject.ts';

export type ErasureHouse = Pick<House, 'config' | 'postgres' | 'clock' | 'log' | 'vault' | 'audit' | 'keys' | 'mail'>;

/** So often it is looked whether anything is left, and what is left erased once more; then the receipt says it. */
const looksMax = 3;

interface Run {
  id: number;
  organisation_id: number;
  request_id: number | null;
  state: 'running' | 'done' | 'partial' | 'failed';
  began_at: Date;
  planned_at: Date | null;
  looks: number;
}
interface Step {
  ordinal: number;
  holder: string;
  what: string;
  state: 'waiting' | 'done' | 'held';
  found: FoundRows[];
  gone: Erased['gone'] | null;
  kept: Erased['kept'] | null;
  done_at: Date | null;
}
const runColumns = 'id, organisation_id, request_id, state, began_at, planned_at, looks';
const stepColumns = 'ordinal, holder, what, state, found, gone, kept, done_at';

export interface Erasures {
  /** In the transaction of the act that begins it; what follows is done by `work`. */
  begin(sql: Sql, organisationId: number, requestId: number, by: number | null, said: readonly Said[]): Promise<void>;
  /** Goes on with everything that is begun, one run after another. Two processes at once do no step twice. */
  work(): Promise<void>;
  /** Has a restore begun some that its rows did not know? */
  areRestored(): Promise<boolean>;
  publicKey: string;
}
export interface Said {
  kind: IdentifierKind;
  value: string;
}

/**
 * Erasures, as runs of steps that stand in a table. Everything may be cut short: a step is done in one transaction with its
 * line, what is done outside of it (the warehouse, the key store) is found done, and the receipt comes last.
 * @param onErased after a receipt was written: copies elsewhere are told what is gone
 * @param sealed how sealed files are opened, to be searched in the end
 */
export function openErasures(
  house: ErasureHouse,
  holders: () => readonly PersonalDataHolder[],
  onErased: () => Promise<void>,
  sealed: () => readonly SealedFolder[] = () => [],
): Erasures {
  const { config, postgres, clock, log, vault, audit, keys } = house;
  const signer = signerOf(keys.derive('audit-checkpoint'));
  const alone = aloneIn(postgres, clock);
  const now = () => new Date(clock.now());

  async function note(sql: Sql, organisationId: number, runId: number, one: Identifier): Promise<void> {
    const place = placeOf(organisationId, runId, one);
    await sql.run(
      `INSERT INTO erasure_subjects (organisation_id, run_id, kind, digest, account_digest, mail_digest, value_sealed)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [
        ...[organisationId, runId, one.kind, one.digest, one.others?.account ?? null, one.others?.mail ?? null],
        one.value === undefined ? null : await vault.seal(place, one.value),
      ],
    );
  }

  async function subjectOf({ id, organisation_id: organisationId }: Run): Promise<DataSubject> {
    const rows = await postgres.tenant(organisationId, (sql) =>
      sql.query<{
        kind: IdentifierKind;
        digest: Buffer;
        account_digest: Buffer | null;
        mail_digest: Buffer | null;
        value_sealed: Buffer | null;
      }>(
        'SELECT kind, digest, account_digest, mail_digest, value_sealed FROM erasure_subjects WHERE run_id = $1 ORDER BY kind, digest',
        [id],
      ),
    );
    const identifiers: Identifier[] = [];
    for (const { kind, digest, account_digest: account, mail_digest: mail, value_sealed } of rows) {
      const one: Identifier = {
        kind,
        digest,
        ...(account === null || mail === null ? {} : { others: { account, mail } }),
      };
      if (value_sealed !== null)
        one.value = (await vault.open(placeOf(organisationId, id, one), value_sealed)).toString('utf8');
      identifiers.push(one);
    }
    return { organisationId, identifiers };
  }

  /** The run, locked: whoever comes second waits here, and finds what the first has done. */
  const locked = (sql: Sql, id: number) =>
    sql.one<Run>(`SELECT ${runColumns} FROM erasure_runs WHERE id = $1 FOR UPDATE`, [id]);
  const stepsOf = (sql: Sql, id: number) =>
    sql.query<Step>(`SELECT ${stepColumns} FROM erasure_steps WHERE run_id = $1 ORDER BY ordinal`, [id]);

  async function plan(run: Run): Promise<void> {
    const { who, held } = await gather(house, await subjectOf(run), holders());
    await postgres.tenant(run.organisation_id, async (sql) => {
      if ((await locked(sql, run.id)).planned_at !== null) return;
      for (const one of who.identifiers) await note(sql, run.organisation_id, run.id, one);
      for (const [ordinal, { name, what }] of inOrder(holders()).entries())
        await sql.run(
          'INSERT INTO erasure_steps (organisation_id, run_id, ordinal, holder, what, found) VALUES ($1, $2, $3, $4, $5, $6)',
          [
            ...[run.organisation_id, run.id, ordinal, name, what],
            JSON.stringify(held.find(({ holder }) => holder === name)?.rows ?? []),
          ],
        );
      await sql.run('UPDATE erasure_runs SET planned_at = $2 WHERE id = $1', [run.id, now()]);
    });
    crashPoint('erasure.planned');
  }

  async function take(run: Run, who: DataSubject, step: Step): Promise<void> {
    const { organisation_id: organisationId } = run;
    const holder = holders().find(({ name }) => name === step.holder);
    const { whole, rows } = await postgres.tenant(organisationId, (sql) => heldOf(sql, organisationId, holder));
    const outcome: Erased = { gone: [], kept: [] };
    if (whole === undefined) add(outcome, await holder?.eraseBefore?.(who, rows));
    crashPoint('erasure.before');
    await postgres.tenant(organisationId, async (sql) => {
      await locked(sql, run.id);
      const [own] = (await stepsOf(sql, run.id)).filter(({ ordinal }) => ordinal === step.ordinal);
      if (own?.state !== 'waiting') return;
      if (whole === undefined) add(outcome, await holder?.erase?.(sql, who, rows));
      else outcome.kept.push(...own.found.map((one) => ({ ...one, ...whole })));
      const isHeld = outcome.kept.some(({ hold }) => hold !== undefined);
      // What went in an earlier try of the same step is part of what it did.
      const gone = [...(own.gone ?? []), ...outcome.gone];
      await sql.run(
        'UPDATE erasure_steps SET state = $3, gone = $4, kept = $5, done_at = $6 WHERE run_id = $1 AND ordinal = $2',
        [
          ...[run.id, step.ordinal, isHeld ? 'held' : 'done'],
          ...[JSON.stringify(gone), JSON.stringify(outcome.kept), now()],
        ],
      );
      if (outcome.gone.length === 0) return;
      await audit.record(sql, organisationId, {
        ...{ action: 'request.erased_part', actor: { type: 'system' }, targets: targetsOf(run) },
        details: { part: step.holder, rows: outcome.gone.reduce((sum, one) => sum + one.rows, 0) },
      });
    });
    crashPoint('erasure.step');
  }

  /** @returns false when something was left, and its steps are to be done once more */
  async function conclude(run: Run, who: DataSubject): Promise<boolean> {
    const { organisation_id: organisationId } = run;
    const left: (FoundRows & { holder: string })[] = [];
    for (const step of await postgres.tenant(organisationId, (sql) => stepsOf(sql, run.id))) {
      const holder = holders().find(({ name }) => name === step.holder);
      const { whole, rows } = await postgres.tenant(organisationId, (sql) => heldOf(sql, organisationId, holder));
      if (whole !== undefined || holder === undefined) continue;
      left.push(...(await holder.left(who, rows)).map((one) => ({ ...one, holder: step.holder })));
    }
    const files = await scanFiles(config.dataDir, who, sealed());
    const backups = await postgres.system((sql) => backupsWith(sql, clock.now(), backupDaysMax));
    left.push(
      ...Object.entries(Object.groupBy(files.found, ({ file }) => file.split('/')[0] ?? '')).map(
        ([folder, some = []]) => ({
          ...{ table: `file ${folder}`, class: 'D3' as const, rows: some.length, holder: 'files' },
        }),
      ),
    );
    crashPoint('erasure.looked');
    return postgres.tenant(organisationId, async (sql) => {
      const own = await locked(sql, run.id);
      if (own.state !== 'running') return true;
      await sql.run('UPDATE erasure_runs SET looks = looks + 1 WHERE id = $1', [run.id]);
      if (left.length > 0 && own.looks + 1 < looksMax) {
        await sql.run(
          "UPDATE erasure_steps SET state = 'waiting', done_at = NULL WHERE run_id = $1 AND holder = ANY ($2)",
          [run.id, left.map(({ holder }) => holder)],
        );
        return false;
      }
      const steps = await stepsOf(sql, run.id);
      const isPartial = steps.some(({ kept }) => (kept ?? []).length > 0);
      const state = left.length > 0 ? 'failed' : isPartial ? 'partial' : 'done';
      const at = now();
      const { number } = await sql.one<{ number: number }>(
        'SELECT count(*)::int + 1 AS number FROM erasure_receipts WHERE run_id = $1',
        [run.id],
      );
      const receipt = JSON.stringify({
        receipt: 'fairlead erasure 1',
        ...{ organisation: organisationId, request: run.request_id, number, state },
        ...{ began_at: run.began_at.toISOString(), written_at: at.toISOString() },
        subject: who.identifiers.map(({ kind, digest }) => ({ kind, digest: digest.toString('hex') })),
        systems: steps.map(({ holder, what, found, gone, kept, done_at }) => ({
          system: holder,
          what,
          ...{ found, gone: gone ?? [], kept: kept ?? [], done_at: done_at?.toISOString() ?? null },
        })),
        looked_again: { at: at.toISOString(), left, files },
        backups,
        key: keyName(signer.publicKey),
      });
      await sql.run(
        `INSERT INTO erasure_receipts (organisation_id, run_id, number, written_at, receipt, signature)
         VALUES ($1, $2, $3, $4, $5, $6)`,
        [organisationId, run.id, number, at, receipt, signer.sign(receipt)],
      );
      await sql.run('UPDATE erasure_subjects SET value_sealed = NULL WHERE run_id = $1', [run.id]);
      await sql.run('UPDATE erasure_runs SET state = $2, ended_at = $3 WHERE id = $1', [run.id, state, at]);
      if (run.request_id === null) await closeRestored(sql, who, at);
      await audit.record(sql, organisationId, {
        ...{ action: 'request.erasure_ended', actor: { type: 'system' } },
        ...(state === 'failed' ? { outcome: 'failed' as const } : {}),
        targets: targetsOf(run),
        details: { state, rows: steps.flatMap(({ gone }) => gone ?? []).reduce((sum, one) => sum + one.rows, 0) },
      });
      return true;
    });
  }

  /** After a restore the request stands there as it stood before it was answered, with the address that has to be gone. */
  async function closeRestored(sql: Sql, who: DataSubject, at: Date): Promise<void> {
    const digests = (kind: IdentifierKind) =>
      who.identifiers.filter((one) => one.kind === kind).map(({ digest }) => digest);
    await sql.run(
      `UPDATE subject_requests SET state = 'answered', closed_at = $4, checked_at = coalesce(checked_at, $4),
         email_sealed = NULL, phone_sealed = NULL, external_sealed = NULL, agent_sealed = NULL
       WHERE closed_at IS NULL AND kind = 'erasure'
         AND (email_digest = ANY ($1) OR phone_digest = ANY ($2) OR external_digest = ANY ($3))`,
      [digests('email'), digests('phone'), digests('external-id'), at],
    );
  }

  async function goOn(run: Run): Promise<void> {
    if (run.planned_at === null) await plan(run);
    for (;;) {
      const who = await subjectOf(run);
      const steps = await postgres.tenant(run.organisation_id, (sql) => stepsOf(sql, run.id));
      for (const step of steps.filter(({ state }) => state === 'waiting')) await take(run, who, step);
      if (await conclude(run, who)) break;
    }
    await onErased();
  }

  /** A released hold resumes what it stopped at once: held steps wait again. */
  async function resume(sql: Sql, organisationId: number): Promise<void> {
    const kept = await sql.query<{ run_id: number; kept: Erased['kept'] }>(
      `SELECT s.run_id, s.kept FROM erasure_steps s JOIN erasure_runs r ON r.id = s.run_id
       WHERE s.state = 'held' AND r.state = 'partial' ORDER BY s.run_id, s.ordinal FOR UPDATE`,
    );
    if (kept.length === 0) return;
    const inForce = new Set((await holdsInForce(sql, organisationId)).map(({ id }) => id));
    const free = kept.filter((one) => !one.kept.some(({ hold }) => hold !== undefined && inForce.has(hold)));
    for (const id of new Set(free.map(({ run_id }) => run_id))) {
      // Others too that kept something: a name in the trail stays for as long as a membership that was held.
      await sql.run(
        `UPDATE erasure_steps SET state = 'waiting', done_at = NULL
         WHERE run_id = $1 AND state <> 'waiting' AND jsonb_array_length(kept) > 0`,
        [id],
      );
      await sql.run("UPDATE erasure_runs SET state = 'running', ended_at = NULL, looks = 0 WHERE id = $1", [id]);
    }
  }

  return {
    publicKey: signer.publicKey,
    async begin(sql, organisationId, requestId, by, said) {
      const { id } = await sql.one<{ id: number }>(
        'INSERT INTO erasure_runs (organisation_id, request_id, began_at, began_by) VALUES ($1, $2, $3, $4) RETURNING id',
        [organisationId, requestId, now(), by],
      );
      for (const { kind, value } of said)
        await note(sql, organisationId, id, await identifierOf(house, organisationId, kind, value));
    },
    areRestored: async () =>
      (
        await everywhere(postgres, (sql) =>
          sql.query("SELECT 1 FROM erasure_runs WHERE request_id IS NULL AND state = 'running' LIMIT 1"),
        )
      ).length > 0,
    async work() {
      const runs = await everywhere(postgres, async (sql, organisationId) => {
        await resume(sql, organisationId);
        return sql.query<Run>(`SELECT ${runColumns} FROM erasure_runs WHERE state = 'running' ORDER BY id`);
      });
      for (const run of runs)
        try {
          await alone(`erasure ${run.id}`, () => goOn(run));
        } catch (error) {
          log.error('requests.erasure_failed', { organisation: run.organisation_id, erasure: run.id }, error);
        }
    },
  };
}

function placeOf(organisationId: number, runId: number, { kind, digest }: Identifier): Place & { class: 'D4' } {
  const row = `${runId} ${kind} ${digest.toString('hex')}`;
  return { organisationId, table: 'erasure_subjects', column: 'value_sealed', row, class: 'D4' };
}

function targetsOf({ request_id: id }: Pick<Run, 'request_id'>) {
  return id === null ? [] : [{ type: 'request', id, label: `request ${id}` }];
}

function add(to: Erased, more: Erased | undefined): void {
  to.gone.push(...(more?.gone ?? []));
  to.kept.push(...(more?.kept ?? []));
}

/** What holds keep of a holder: all of it, with a sentence, or rows of some sites and people. */
async function heldOf(
  sql: Sql,
  organisationId: number,
  holder: PersonalDataHolder | undefined,
): Promise<{ whole: { why: string; hold: number } | undefined; rows: HeldRows }> {
  const rows = { siteIds: new Map<number, number>(), personIds: new Map<number, number>() };
  const own = new Set<string>(Object.values(holder?.tables ?? {}));
  let whole: { why: string; hold: number } | undefined;
  for (const hold of await holdsInForce(sql, organisationId)) {
    const isOfClass =
      hold.class !== null &&
      [...own].some((id) => id === hold.class || (classesBeside[id] ?? []).some((beside) => beside === hold.class));
    // The register of requests says that something is held: it is not kept from answering.
    if (own.has('D24')) continue;
    if (hold.scope === 'everything' || isOfClass)
      whole ??= { why: `legal hold ${hold.id} keeps it until it is released`, hold: hold.id };
    if (hold.site_id !== null) rows.siteIds.set(hold.site_id, hold.id);
    if (hold.person_id !== null) rows.personIds.set(hold.person_id, hold.id);
  }
  return { whole, rows };
}
