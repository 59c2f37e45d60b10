import {
  type Agreement,
  type DocumentKind,
  documentKinds,
  type LegalDocument,
  signUpLimits,
} from '../../../contract/sign_up.ts';
import type { Act } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import { prepared, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { legalRoutes } from './routes.ts';
import { documentNames, pathOf } from './words.ts';

/** What somebody agreed to: the version of each document, and that they are of age. */
export interface Agreed {
  documents: Pick<LegalDocument, 'kind' | 'version'>[];
  isAdult: boolean;
}

/** The documents of the desk (GOV-03) and who accepted which version of them, when. */
export interface Legal {
  routes: ReturnType<typeof legalRoutes>;
  /** The version of each document that holds now; none where the operator has published none. */
  current(): Promise<LegalDocument[]>;
  /** The documents that somebody who makes an account has to accept, and cannot, because no version of them holds. */
  missing(): Promise<DocumentKind[]>;
  /**
   * What was agreed to, if it is what has to be (CON-06): every document in the version that holds now.
   * @param asks.age is the age asked for even where there are no documents?
   * @throws RequestError invalid_field, conflict when a document changed meanwhile
   */
  read(given: Agreement, asks: { age: 'always' | 'with-documents' }): Promise<Agreed>;
  /** Writes it down in the caller's transaction, which sees the rows of that person. */
  keep(sql: Sql, personId: number, agreed: Agreed, request: Act['request']): Promise<void>;
}

export function openLegal(house: Pick<House, 'postgres' | 'clock' | 'audit'>): Legal {
  const { postgres, clock, audit } = house;

  async function current(): Promise<LegalDocument[]> {
    const rows = await postgres.system((sql) =>
      sql.query<Omit<LegalDocument, 'path'>>(
        `SELECT DISTINCT ON (kind) kind, version, dated::text FROM legal_documents d
         WHERE NOT EXISTS (SELECT FROM legal_withdrawals w WHERE w.number = d.number) ORDER BY kind, number DESC`,
      ),
    );
    return rows
      .map((row) => ({ ...row, path: pathOf(row.kind, row.version) }))
      .sort((a, b) => documentKinds.indexOf(a.kind) - documentKinds.indexOf(b.kind));
  }

  async function keep(sql: Sql, personId: number, agreed: Agreed, request: Act['request']): Promise<void> {
    const now = new Date(clock.now());
    const by = { actor: { type: 'person' as const, id: personId }, ...(request === undefined ? {} : { request }) };
    const store = (kind: string, version: string) =>
      sql.run(
        'INSERT INTO acceptances (person_id, kind, version, accepted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
        [personId, kind, version, now],
      );
    for (const { kind, version } of agreed.documents) {
      if ((await store(kind, version)) === 0) continue;
      const label = `${documentNames[kind]}, version ${version}`;
      await audit.recordOfPerson(sql, personId, {
        action: 'terms.accepted',
        ...by,
        targets: [{ type: 'document', id: `${kind} ${version}`, label }],
      });
    }
    const years = String(signUpLimits.ageYearsMin);
    if (agreed.isAdult && (await store('age', years)) > 0)
      await audit.recordOfPerson(sql, personId, { action: 'age.attested', ...by, details: { years } });
  }

  return {
    current,
    async missing() {
      const holding = await current();
      return documentKinds.filter((kind) => !holding.some((one) => one.kind === kind));
    },
    async read({ is_adult: isAdult, accepted }, { age }) {
      const documents = await current();
      if (!isAdult && (age === 'always' || documents.length > 0))
        throw new RequestError(
          'invalid_field',
          `An account is for people of ${signUpLimits.ageYearsMin} years or more. Say that you are, or leave it.`,
          { field: 'agreement.is_adult' },
        );
      const missing = documents.find(({ kind }) => !accepted.some((one) => one.kind === kind));
      if (missing !== undefined)
        throw new RequestError(
          'invalid_field',
          `Read and accept this document first: ${documentNames[missing.kind]}.`,
          { field: 'agreement.accepted' },
        );
      if (accepted.some((one) => !documents.some(({ kind, version }) => kind === one.kind && version === one.version)))
        throw changed();
      return { documents: documents.map(({ kind, version }) => ({ kind, version })), isAdult };
    },
    keep,
    routes: legalRoutes(house, { current, keep }),
  };
}

function changed(): RequestError {
  return new RequestError(
    'conflict',
    'A document was changed while this page was open. Load the page again, and read the version that holds now.',
  );
}

const agreementDueText = prepared('SELECT 1 FROM documents_due($1) LIMIT 1');

/** Has this person something to accept before going on? Asked with every request of theirs, in their own transaction. */
export async function isAgreementDue(sql: Sql, personId: number): Promise<boolean> {
  return (await sql.query(agreementDueText, [personId])).length > 0;
}
