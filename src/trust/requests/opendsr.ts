import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import {
  openDsrCancelled,
  openDsrDiscovery,
  openDsrId,
  openDsrIdentities,
  openDsrReceived,
  openDsrRequest,
  openDsrStatus,
  openDsrTypes,
  openDsrVersion,
} from '../../../contract/opendsr.ts';
import type { RequestState } from '../../../contract/requests.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { utcDay } from '../../platform/zone.ts';
import { signerOf } from '../audit/index.ts';
import { readArchiveState } from './archive_state.ts';
import { noteCallbacks, statusOf } from './callbacks.ts';
import { enterRequest, takeStep } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofRequest = ofOrganisation.extend({ request: openDsrId });
/** DER of an Ed25519 public key before its 32 bytes (RFC 8410). */
const keyHead = Buffer.from('302a300506032b6570032100', 'hex');

interface Row {
  id: number;
  kind: string;
  state: RequestState;
  due_on: string;
  entered_at: Date;
}

/**
 * The register as other systems speak to it. They hand requests in and ask how far they are; whoever works on the register
 * carries them out, so a key that got lost erases nobody.
 */
export function openDsrRoutes(
  {
    postgres,
    clock,
    vault,
    audit,
    keys,
    mail,
  }: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit' | 'keys' | 'mail'>,
  onCame: () => void,
): Route[] {
  const signer = signerOf(keys.derive('audit-checkpoint'));
  const base = '/api/organisations/:organisation/opendsr/v2';
  const keyPath = '/api/opendsr/key';
  const domain = new URL(mail.link('/')).hostname;

  /** Signed over exactly the bytes of the answer. */
  const signed = <Body extends object>(body: Body, status = 200) => ({
    ...{ status, body },
    headers: {
      'x-opendsr-processor-domain': domain,
      'x-opendsr-signature': signer.sign(JSON.stringify(body)),
      'cache-control': 'no-store',
    },
  });
  const answerOf = (organisation: number, id: string) => ({
    ...{ controller_id: String(organisation), subject_request_id: id, api_version: openDsrVersion },
  });
  const completion = ({ due_on }: Row) => ({ expected_completion_time: `${due_on}T23:59:59Z` });

  function allowed(request: { principal: Principal | undefined; allow(organisation: number): void }, id: number): void {
    request.allow(id);
    // Who asks is about the organisation and not about one of its sites.
    if (request.principal?.siteIds !== undefined)
      throw new RequestError('forbidden', 'This key is limited to some sites. Use one of the whole organisation.');
  }

  const find = (sql: Sql, id: string, lock = '') =>
    sql.maybe<Row>(
      `SELECT id, kind, state, due_on::text, entered_at FROM subject_requests WHERE opendsr_id = $1 ${lock}`,
      [id],
    );
  /** @throws RequestError not_found */
  async function known(sql: Sql, id: string, lock = ''): Promise<Row> {
    const row = await find(sql, id, lock);
    if (row === undefined) throw new RequestError('not_found', 'This organisation has no request under that number.');
    return row;
  }

  return [
    defineRoute({
      method: 'GET',
      path: `${base}/discovery`,
      access: 'request.submit',
      summary: 'OpenDSR: which requests and identities are taken.',
      params: ofOrganisation,
      answer: openDsrDiscovery,
      async handle(request) {
        allowed(request, request.params.organisation);
        return signed({
          api_version: openDsrVersion,
          supported_identities: openDsrIdentities.map((identity_type) => ({
            ...{ identity_type, identity_format: 'raw' as const },
          })),
          supported_subject_request_types: [...openDsrTypes],
          processor_certificate: mail.link(keyPath),
        });
      },
    }),
    defineRoute({
      method: 'GET',
      path: keyPath,
      access: 'public',
      summary: 'The key that signs answers to OpenDSR and receipts, as PEM.',
      async handle() {
        const key = Buffer.concat([keyHead, Buffer.from(signer.publicKey, 'base64')]);
        const pem = createPublicKey({ key, format: 'der', type: 'spki' }).export({ format: 'pem', type: 'spki' });
        return { headers: { 'content-type': 'application/x-pem-file' }, body: pem };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${base}/requests`,
      access: 'request.submit',
      summary:
        'OpenDSR: hands in a request of somebody whom your system knows. The same number again is the same request.',
      params: ofOrganisation,
      body: openDsrRequest,
      answer: openDsrReceived,
      async handle(request) {
        const { organisation } = request.params;
        allowed(request, organisation);
        const said = request.body;
        const { subject_request_id: id, subject_request_type: kind } = said;
        const identityOf = (type: (typeof openDsrIdentities)[number]) => {
          const [one, ...more] = said.subject_identities.filter(({ identity_type }) => identity_type === type);
          if (more.length > 0)
            throw new RequestError('invalid_field', `Say one ${type}: hand in a request for each of several.`, {
              field: 'subject_identities',
            });
          return one?.identity_value;
        };
        const email = identityOf('email');
        if (email !== undefined && !z.email().safeParse(email).success)
          throw new RequestError('invalid_field', 'The email is an address.', { field: 'subject_identities' });
        const row = await postgres.tenant(organisation, async (sql) => {
          // Two that hand in the same one at once: the second finds what the first has made.
          await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`opendsr ${organisation} ${id}`]);
          const before = await find(sql, id);
          if (before !== undefined) {
            if (before.kind !== kind)
              throw new RequestError('conflict', 'Another request was handed in under this number.');
            return before;
          }
          const now = clock.now();
          const enter = enterRequest(
            sql,
            {
              ...{ kind, came_by: 'program', received_on: utcDay(Date.parse(said.submitted_time)), email },
              ...{ phone: identityOf('phone'), external_id: identityOf('controller_customer_id') },
            },
            { vault, organisationId: organisation, nowMs: now, personId: null },
          );
          // The day is asked for under another name here.
          const made = await enter.catch((error) => {
            if (!(error instanceof RequestError) || error.code !== 'invalid_field') throw error;
            throw new RequestError('invalid_field', error.message, { field: 'submitted_time' });
          });
          await sql.run(
            `UPDATE subject_requests SET opendsr_id = $2, state = 'checked', checked_at = $3, identity_check = 'other-system'
             WHERE id = $1`,
            [made, id, new Date(now)],
          );
          await noteCallbacks({ vault, clock }, sql, {
            ...{ organisationId: organisation, requestId: made },
            urls: said.status_callback_urls ?? [],
          });
          await audit.record(sql, organisation, {
            ...{ action: 'request.handed_in', ...actOf(request), details: { kind, regulation: said.regulation } },
            targets: [{ type: 'request', id: made, label: `request ${made}` }],
          });
          return known(sql, id);
        });
        onCame();
        return signed(
          {
            ...answerOf(organisation, id),
            ...completion(row),
            received_time: row.entered_at.toISOString(),
            encoded_request: Buffer.from(JSON.stringify(said)).toString('base64'),
          },
          201,
        );
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${base}/requests/:request`,
      access: 'request.submit',
      summary: 'OpenDSR: how far a request is that was handed in.',
      params: ofRequest,
      answer: openDsrStatus,
      async handle(request) {
        const { organisation, request: id } = request.params;
        allowed(request, organisation);
        return postgres.tenant(organisation, async (sql) => {
          const row = await known(sql, id);
          const archive = await readArchiveState(sql, row.id, clock.now());
          return signed({
            ...answerOf(organisation, id),
            ...completion(row),
            request_status: statusOf[row.state],
            ...(archive === null ? {} : { results_count: archive.records }),
          });
        });
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: `${base}/requests/:request`,
      access: 'request.submit',
      summary: 'OpenDSR: takes a request back on which no work began.',
      params: ofRequest,
      answer: openDsrCancelled,
      async handle(request) {
        const { organisation, request: id } = request.params;
        allowed(request, organisation);
        const now = clock.now();
        await postgres.tenant(organisation, async (sql) => {
          const row = await known(sql, id, 'FOR UPDATE');
          if (statusOf[row.state] !== 'pending')
            throw new RequestError(
              'conflict',
              `Work on this request began, or it is closed: it is ${statusOf[row.state]}. Only what is pending is taken back.`,
            );
          const outcome = 'Taken back by the system that had handed it in.';
          const parts = { vault, organisationId: organisation, nowMs: now };
          await takeStep(sql, row.id, { to: 'refused', outcome }, parts);
          await audit.record(sql, organisation, {
            ...{ action: 'request.taken_back', ...actOf(request) },
            targets: [{ type: 'request', id: row.id, label: `request ${row.id}` }],
          });
        });
        onCame();
        return signed({ ...answerOf(organisation, id), received_time: new Date(now).toISOString() }, 202);
      },
    }),
  ];
}
