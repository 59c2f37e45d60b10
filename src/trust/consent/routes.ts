import { z } from 'zod';
import {
  basesAnswer,
  basisChange,
  basisRegions,
  consentQuestion,
  consentRecord,
  consentsAnswer,
  consentsOfSubject,
  newConsent,
  type OwnConsents,
  ownConsentChange,
  ownConsents,
  ownPurposes,
  processingPurposes,
} from '../../../contract/consent_records.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route, sitesOfPrincipal } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { changeBasis, readBases } from './bases.ts';
import { basesChanged, refused } from './changes.ts';
import { ownTexts } from './purposes.ts';
import { digestOf, listRecords, recordsOf, writeRecord } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofBasis = ofOrganisation.extend({ purpose: z.enum(processingPurposes), region: z.enum(basisRegions) });

/** The table of purposes and bases, records of consent, and what a person with an account agrees to. */
export function consentRoutes(house: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit'>): Route[] {
  return [...organisationRoutes(house), ...ownRoutes(house)];
}

function organisationRoutes({
  postgres,
  clock,
  vault,
  audit,
}: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/lawful-bases',
      access: 'audit.read',
      summary: 'Each purpose with its lawful basis in each region, and what it may be set to.',
      params: ofOrganisation,
      answer: basesAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return { body: await postgres.tenant(organisation, (sql) => readBases(sql, organisation)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/lawful-bases/:purpose/:region',
      access: 'policy.manage',
      summary: 'Sets a stricter basis than is shipped, or goes back to what is shipped. Every version stays.',
      params: ofBasis,
      body: basisChange,
      answer: basesAnswer,
      async handle(request) {
        const { organisation, purpose, region } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          await changeBasis(sql, { organisationId: organisation, purpose, region }, request.body, clock.now());
          await audit.record(sql, organisation, {
            ...{ action: 'consent.basis_changed', ...actOf(request) },
            targets: [{ type: 'basis', id: `${purpose} ${region}`, label: `${purpose} in ${region}` }],
            details: { basis: request.body.basis },
          });
          return readBases(sql, organisation);
        });
        // It holds from the next event on.
        await basesChanged();
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/consents',
      access: 'audit.read',
      summary: 'Records of consent, the newest first. People are pseudonyms in it.',
      params: ofOrganisation,
      query: z.strictObject({ before: z.coerce.number().int().positive().default(Number.MAX_SAFE_INTEGER) }),
      answer: consentsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return {
          body: await postgres.tenant(organisation, (sql) => listRecords(sql, organisation, request.query.before)),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/consents',
      access: 'consent.write',
      summary: 'Records that somebody gave, refused or withdrew consent. It cannot be changed afterwards.',
      params: ofOrganisation,
      body: newConsent,
      answer: consentRecord,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        // A record is of the whole organisation, whatever sites it has: who reaches some of them has no say in it.
        if (request.principal !== undefined && sitesOfPrincipal(request.principal, organisation) !== undefined)
          throw new RequestError(
            'not_found',
            'Consent is recorded for the whole organisation, which this key or person, limited to some sites, does not reach.',
          );
        const { subject, ...said } = request.body;
        const digest = await digestOf(vault, organisation, subject);
        const body = await postgres.tenant(organisation, async (sql) => {
          const record = await writeRecord(sql, { organisationId: organisation }, digest, said, clock.now());
          if (said.state !== 'given')
            await refused(sql, { organisationId: organisation, purpose: said.purpose, digest });
          await audit.record(sql, organisation, {
            ...{ action: 'consent.recorded', ...actOf(request) },
            targets: [{ type: 'consent', id: record.id, label: `consent ${record.id}` }],
            details: { purpose: record.purpose, state: record.state, proof: record.proof },
          });
          return record;
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/consents/search',
      access: 'request.manage',
      summary: 'What one person agreed to, by address, number or id, and what of it holds now.',
      params: ofOrganisation,
      body: consentQuestion,
      answer: consentsOfSubject,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const digest = await digestOf(vault, organisation, request.body.subject);
        return { body: await postgres.tenant(organisation, (sql) => recordsOf(sql, organisation, digest)) };
      },
    }),
  ];
}

function ownRoutes({ postgres, clock, vault, audit }: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit'>): Route[] {
  async function read(sql: Sql, personId: number): Promise<OwnConsents> {
    const rows = await sql.query<{ purpose: string; state: string; text_version: string; recorded_at: Date }>(
      `SELECT DISTINCT ON (purpose) purpose, state, text_version, recorded_at FROM consent_records
       WHERE organisation_id IS NULL AND person_id = $1 ORDER BY purpose, id DESC`,
      [personId],
    );
    return {
      consents: ownPurposes.map((purpose) => {
        const { text, version } = ownTexts[purpose];
        // A yes to earlier words is none to these: they may name more.
        const newest = rows.find(
          (row) => row.purpose === purpose && (row.state !== 'given' || row.text_version === version),
        );
        return {
          ...{ purpose, text, text_version: version },
          is_given: newest?.state === 'given',
          at: newest?.recorded_at.toISOString() ?? null,
        };
      }),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/account/consents',
      access: 'signed-in',
      summary:
        'What the person who asks may agree to and need not, and whether they did. Nothing is agreed to by default.',
      answer: ownConsents,
      async handle(request) {
        const personId = idOf(request.principal);
        return { body: await postgres.person(personId, (sql) => read(sql, personId)) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/account/consents/:purpose',
      access: 'signed-in',
      summary: 'Agrees to one of them, or takes it back: the same call, and it holds at once.',
      params: z.object({ purpose: z.enum(ownPurposes) }),
      body: ownConsentChange,
      answer: ownConsents,
      async handle(request) {
        const personId = idOf(request.principal);
        const { purpose } = request.params;
        const { text, version } = ownTexts[purpose];
        if (request.body.is_given && request.body.text_version !== version)
          throw new RequestError(
            'conflict',
            'The words of this consent have changed while the page was open. Load the page again, and read them.',
          );
        const digest = await vault.subject('desk', 'person', String(personId));
        const state = request.body.is_given ? 'given' : 'withdrawn';
        const body = await postgres.person(personId, async (sql) => {
          const said = { purpose, state, region: 'eea', text_version: version, text, how: 'account' } as const;
          const { proof } = await writeRecord(sql, { personId }, digest, said, clock.now());
          await audit.recordOfPerson(sql, personId, {
            ...{ action: actionOf[state], ...actOf(request) },
            targets: [{ type: 'consent', id: purpose, label: purpose }],
            details: { text_version: version, proof },
          });
          return read(sql, personId);
        });
        return { body };
      },
    }),
  ];
}

/** @throws RequestError for a key: consent is a person's own */
function idOf(principal: Principal | undefined): number {
  if (principal?.kind !== 'person') throw new RequestError('forbidden', 'A key has no account: sign in as a person.');
  return principal.id;
}

const actionOf = { given: 'consent.given', withdrawn: 'consent.withdrawn' } as const;
