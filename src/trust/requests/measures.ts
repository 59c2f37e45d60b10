import type { z } from 'zod';
import { type RequestKind, requestLimits, type restrictionStep } from '../../../contract/requests.ts';
import type { Act } from '../../platform/audit.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { RequestError } from '../../platform/http/route.ts';
import {
  type Corrected,
  type Correction,
  type DataSubject,
  type Identifier,
  type IdentifierKind,
  identifiersOf,
  type PersonalDataHolder,
} from '../../platform/personal_data.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { keyName, signerOf } from '../audit/index.ts';
import { organisationIn } from './archives.ts';
import { restrictionEndsMail } from './mails.ts';
import { letterOf, type MeasureSystem, restrictionEmail, restrictionPlace } from './measure_records.ts';
import { readRequest, stateWords } from './records.ts';
import { gather, type Held, identifierOf } from './subject.ts';

export type MeasureHouse = Pick<House, 'postgres' | 'clock' | 'log' | 'vault' | 'audit' | 'keys' | 'mail'>;
type By = Required<Pick<Act, 'actor'>> & Pick<Act, 'request'>;
type Does = 'corrected' | 'restricted' | 'lifted';

const system: By = { actor: { type: 'system' } };

/**
 * What is done for rectification, restriction and objection. Everything of one measure, its receipt and its act are one
 * transaction: a kill leaves all of it or nothing, and whoever comes second waits at the row of the request.
 * @param onRestricted after a restriction began or ended: who keeps a list of it in memory reads it anew
 */
export function openMeasures(
  house: MeasureHouse,
  holders: () => readonly PersonalDataHolder[],
  onRestricted: () => Promise<void>,
) {
  const { postgres, clock, log, vault, audit, keys, mail } = house;
  const signer = signerOf(keys.derive('audit-checkpoint'));
  const partsOf = (organisationId: number) => ({ vault, organisationId, nowMs: clock.now() });

  /** Who asked, with all that they are known by: read outside of any transaction, since holders scan. */
  async function subjectOf(organisationId: number, requestId: number): Promise<{ who: DataSubject; held: Held[] }> {
    const said = await postgres.tenant(organisationId, (sql) => readRequest(sql, requestId, partsOf(organisationId)));
    const identifiers: Identifier[] = [];
    for (const [kind, value] of [
      ['email', said.email],
      ['phone', said.phone],
      ['external-id', said.external_id],
    ] as const)
      if (value !== null) identifiers.push(await identifierOf(house, organisationId, kind, value));
    return gather(house, { organisationId, identifiers }, holders());
  }

  /** @throws RequestError conflict when it asks for something else, or does not stand where this is done */
  async function locked(sql: Sql, id: number, kinds: readonly RequestKind[], states: readonly string[]) {
    const row = await sql.maybe<{ kind: RequestKind; state: keyof typeof stateWords }>(
      'SELECT kind, state FROM subject_requests WHERE id = $1 FOR UPDATE',
      [id],
    );
    if (row === undefined) throw new RequestError('not_found', 'This organisation has no request of that number.');
    if (!kinds.includes(row.kind))
      throw new RequestError('conflict', `Request ${id} asks for something else. Enter one for it.`);
    if (!states.includes(row.state))
      throw new RequestError(
        'conflict',
        `Request ${id} ${stateWords[row.state]}. It has to be sure who asks, and work has to have begun.`,
      );
    return row;
  }

  async function conclude(
    sql: Sql,
    of: { who: Pick<DataSubject, 'organisationId' | 'identifiers'>; requestId: number; does: Does; by: By },
    systems: readonly MeasureSystem[],
    action: string,
  ): Promise<void> {
    const { organisationId, identifiers } = of.who;
    const at = new Date(clock.now());
    const { number } = await sql.one<{ number: number }>(
      'SELECT count(*)::int + 1 AS number FROM request_receipts WHERE request_id = $1',
      [of.requestId],
    );
    const receipt = JSON.stringify({
      receipt: 'fairlead request 1',
      ...{ organisation: organisationId, request: of.requestId, number, does: of.does, written_at: at.toISOString() },
      subject: identifiers.map(({ kind, digest }) => ({ kind, digest: digest.toString('hex') })),
      systems,
      key: keyName(signer.publicKey),
    });
    await sql.run(
      `INSERT INTO request_receipts (organisation_id, request_id, number, does, written_at, receipt, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [organisationId, of.requestId, number, of.does, at, receipt, signer.sign(receipt)],
    );
    await audit.record(sql, organisationId, {
      ...{ action, ...of.by, targets: [targetOf(of.requestId)] },
      details: { rows: systems.flatMap(({ changed }) => changed).reduce((sum, { rows }) => sum + rows, 0) },
    });
  }

  const systemOf = ({ name, what }: PersonalDataHolder, held: readonly Held[], more: Partial<MeasureSystem>) => ({
    ...{ system: name, what, changed: [], kept: [], from_now_on: null },
    found: held.find(({ holder }) => holder === name)?.rows ?? [],
    ...more,
  });

  /** Puts values right wherever they are stored (DSR-02). @throws RequestError conflict */
  async function correct(organisationId: number, requestId: number, corrections: readonly Correction[], by: By) {
    await postgres.tenant(organisationId, (sql) => locked(sql, requestId, ['rectification'], ['working']));
    const { who, held } = await subjectOf(organisationId, requestId);
    await postgres.tenant(organisationId, async (sql) => {
      await locked(sql, requestId, ['rectification'], ['working']);
      const systems: MeasureSystem[] = [];
      for (const holder of holders()) {
        const { changed, kept }: Corrected = (await holder.correct?.(sql, who, corrections)) ?? {
          changed: [],
          kept: [],
        };
        systems.push(systemOf(holder, held, { changed, kept }));
      }
      await conclude(sql, { who, requestId, does: 'corrected', by }, systems, 'request.corrected');
      crashPoint('measure.written');
    });
  }

  /** From now on what is stored is kept and not used (DSR-05, DSR-06). Begun before, it is as it is. @throws RequestError conflict */
  async function restrict(organisationId: number, requestId: number, by: By): Promise<void> {
    // An objection waits for nobody once it is sure who objects.
    const states = by.actor.type === 'system' ? ['checked', 'working'] : ['working'];
    const kinds = ['restriction', 'objection'] as const;
    await postgres.tenant(organisationId, (sql) => locked(sql, requestId, kinds, states));
    const { who, held } = await subjectOf(organisationId, requestId);
    await postgres.tenant(organisationId, async (sql) => {
      const { kind } = await locked(sql, requestId, kinds, states);
      const { id } = await sql.one<{ id: number }>("SELECT nextval('restrictions_id_seq') AS id");
      const email = identifiersOf(who, 'email').find(({ value }) => value !== undefined)?.value;
      const said = (await readRequest(sql, requestId, partsOf(organisationId))).email ?? email;
      const made = await sql.run(
        `INSERT INTO restrictions (id, organisation_id, request_id, kind, began_at, email_sealed)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (request_id) DO NOTHING`,
        [
          ...[id, organisationId, requestId, kind, new Date(clock.now())],
          said === undefined ? null : await vault.seal(restrictionPlace(organisationId, id, 'email_sealed'), said),
        ],
      );
      if (made === 0) throw new RequestError('conflict', `What request ${requestId} asks for is in force already.`);
      for (const one of who.identifiers)
        await sql.run(
          `INSERT INTO restricted_identifiers (organisation_id, restriction_id, kind, digest, mail_digest)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [organisationId, id, one.kind, one.digest, one.others?.mail ?? null],
        );
      for (const holder of holders()) await holder.restrict?.(sql, who, id);
      const systems = holders().map((holder) =>
        systemOf(holder, held, { from_now_on: holder.whileRestricted ?? null }),
      );
      await conclude(sql, { who, requestId, does: 'restricted', by }, systems, 'request.restricted');
      crashPoint('measure.written');
    });
    await onRestricted();
  }

  /** Announces that a restriction ends, or takes that back. @throws RequestError conflict */
  async function step(
    sql: Sql,
    organisationId: number,
    requestId: number,
    to: Exclude<z.infer<typeof restrictionStep>, { to: 'in-force' }> | { to: 'kept' },
  ): Promise<void> {
    const row = await sql.maybe<{
      id: number;
      kind: 'restriction' | 'objection';
      ended_at: Date | null;
      email_sealed: Buffer | null;
    }>('SELECT id, kind, ended_at, email_sealed FROM restrictions WHERE request_id = $1 FOR UPDATE', [requestId]);
    if (row === undefined || row.ended_at !== null)
      throw new RequestError('conflict', `Nothing is in force for request ${requestId}.`);
    const now = clock.now();
    if (to.to === 'kept') {
      await sql.run(
        'UPDATE restrictions SET why_sealed = NULL, told_how = NULL, told_at = NULL, lifts_at = NULL WHERE id = $1',
        [row.id],
      );
      return;
    }
    const email = await restrictionEmail(vault, organisationId, row);
    if (to.told === 'mail' && (email === undefined || !(await mail.isOn())))
      throw new RequestError('conflict', 'No letter can go to them: tell them in another way first, and note that.');
    const liftsMs = to.told === 'mail' ? now + requestLimits.liftNoticeDays * dayMs : now;
    await sql.run('UPDATE restrictions SET why_sealed = $2, told_how = $3, told_at = $4, lifts_at = $5 WHERE id = $1', [
      ...[row.id, await vault.seal(restrictionPlace(organisationId, row.id, 'why_sealed'), to.why)],
      ...[to.told, new Date(now), new Date(liftsMs)],
    ]);
    if (to.told === 'mail' && email !== undefined)
      await mail.send(sql, {
        template: restrictionEndsMail,
        ...{ to: email, organisationId },
        values: {
          ...{ organisation: (await organisationIn(sql, organisationId)).name, kind: row.kind, why: to.why },
          on: utcDay(liftsMs),
        },
      });
  }

  /** Ends what was announced, once its time has come and the letter has left. */
  async function lift(organisationId: number, id: number): Promise<boolean> {
    const isLifted = await postgres.tenant(organisationId, async (sql) => {
      const row = await sql.maybe<{ id: number; request_id: number; told_how: string; told_at: Date }>(
        `SELECT id, request_id, told_how, told_at FROM restrictions
         WHERE id = $1 AND ended_at IS NULL AND lifts_at <= $2 FOR UPDATE`,
        [id, new Date(clock.now())],
      );
      if (row === undefined) return false;
      if (row.told_how === 'mail' && (await letterOf(sql, organisationId, row)) !== 'left') return false;
      const listed = await sql.query<{ kind: IdentifierKind; digest: Buffer }>(
        'DELETE FROM restricted_identifiers WHERE restriction_id = $1 RETURNING kind, digest',
        [id],
      );
      for (const holder of holders()) await holder.release?.(sql, id);
      // A clock that was set back meanwhile ends nothing before it was announced.
      const at = new Date(Math.max(clock.now(), row.told_at.getTime()));
      await sql.run('UPDATE restrictions SET ended_at = $2, email_sealed = NULL WHERE id = $1', [id, at]);
      const who = { organisationId, identifiers: listed };
      await conclude(
        ...([sql, { who, requestId: row.request_id, does: 'lifted', by: system }] as const),
        holders().map((holder) => systemOf(holder, [], { from_now_on: null })),
        'request.restriction_ended',
      );
      crashPoint('measure.written');
      return true;
    });
    if (isLifted) await onRestricted();
    return isLifted;
  }

  return {
    correct,
    restrict,
    step,
    /** Objections that wait for nobody, and restrictions whose end was announced and has come. */
    async work(): Promise<void> {
      const due = await everywhere(postgres, async (sql, organisationId) => {
        const objections = await sql.query<{ id: number }>(
          `SELECT id FROM subject_requests s WHERE kind = 'objection' AND state IN ('checked', 'working')
           AND NOT EXISTS (SELECT FROM restrictions r WHERE r.request_id = s.id) ORDER BY id`,
        );
        const ending = await sql.query<{ id: number }>(
          'SELECT id FROM restrictions WHERE ended_at IS NULL AND lifts_at <= $1 ORDER BY id',
          [new Date(clock.now())],
        );
        return [
          ...objections.map(({ id }) => ({
            what: 'objection',
            organisationId,
            id,
            go: () => restrict(organisationId, id, system),
          })),
          ...ending.map(({ id }) => ({ what: 'restriction', organisationId, id, go: () => lift(organisationId, id) })),
        ];
      });
      for (const { what, organisationId, id, go } of due)
        try {
          await go();
        } catch (error) {
          // Another process was first.
          if (error instanceof RequestError && error.code === 'conflict') continue;
          log.error('requests.measure_failed', { organisation: organisationId, [what]: id }, error);
        }
    },
  };
}
export type Measures = ReturnType<typeof openMeasures>;

const targetOf = (id: number) => ({ type: 'request', id, label: `request ${id}` });
