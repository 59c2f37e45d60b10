import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { readClass } from '../classes/index.ts';
import { readBases } from '../consent/index.ts';
import { knownOf, missingIn, readStatements, receiversOf } from '../register/index.ts';
import { readPolicy } from '../windows/index.ts';
import {
  activities,
  type Facts,
  linesUnder,
  measures,
  type Receiving,
  storage,
  storedClasses,
  visitorStorage,
} from './facts.ts';
import { partyOf, readIdentity, readOperator } from './identity.ts';

/** Somebody of the register, with the word by which a list of another day is compared. */
export interface Listed extends Receiving {
  id: string;
}

export interface DeskFacts {
  /** The register as it is now, and what is not stated of whom. */
  register(sql: Sql): Promise<{ receivers: Listed[]; incomplete: string[] }>;
  /** Everything that documents of this organisation say, in its own transaction. */
  of(sql: Sql, organisationId: number): Promise<Facts>;
  /** To be called before a transaction that asks for facts: what the engine says of its columns does not change while it runs. */
  prepare(): Promise<void>;
}

export function openDeskFacts({ config, mail, warehouse }: Pick<House, 'config' | 'mail' | 'warehouse'>): DeskFacts {
  let visitorFields: Facts['visitorFields'] | undefined;
  let mailHost: string | undefined;

  async function prepare(): Promise<void> {
    mailHost = (await mail.servers.current()).server?.host;
    if (visitorFields !== undefined) return;
    const columns = await warehouse.read<{ name: string; comment: string }>(
      `SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = 'events' ORDER BY position`,
    );
    visitorFields = columns.map(({ name, comment }) => {
      const of = readClass(comment)?.id ?? '';
      return { column: name, class: of, means: comment.slice(of.length + 1) };
    });
  }

  /**
   * @param destinations kinds of destinations that an organisation has; without, those that it sends conversions to are left
   *   out, since each organisation has its own
   */
  async function register(sql: Sql, destinations: readonly string[] = []) {
    const statements = await readStatements(sql);
    const known = receiversOf(config, mailHost)
      .filter(({ id, byOrganisation }) => byOrganisation !== true || destinations.includes(id))
      .map((row) => knownOf(row, statements.get(row.id)));
    return {
      receivers: known.map(
        (one): Listed => ({
          ...{ id: one.row.id, label: one.row.label, role: one.row.role, why: one.row.why, sent: one.row.sent },
          ...{ classes: one.row.classes, legalName: one.legalName, country: one.country, basis: one.basis },
          ...{ contract: one.statement?.contract ?? null, checkedOn: one.statement?.checked_on ?? null },
          ...{ policyUrl: one.policyUrl, termsUrl: one.termsUrl },
        }),
      ),
      incomplete: known
        .filter((one) => missingIn(one, config.regions).length > 0)
        .map((one) => `${one.row.label}: ${missingIn(one, config.regions).join(', ')}`),
    };
  }

  return {
    prepare,
    register,
    async of(sql, organisationId) {
      if (visitorFields === undefined) throw new TypeError('Facts were asked for before prepare().');
      const { name, slug } = await sql.one<{ name: string; slug: string }>(
        'SELECT name, slug FROM organisations WHERE id = $1',
        [organisationId],
      );
      const policy = await readPolicy(sql, organisationId);
      const identity = await readIdentity(sql, organisationId);
      const destinations = await sql.query<{ kind: string }>(
        'SELECT DISTINCT kind FROM relay_destinations WHERE organisation_id = $1',
        [organisationId],
      );
      return {
        organisation: {
          ...{ name, slug, profile: policy.profile },
          ...{ party: partyOf(identity), measuringInterest: identity.measuring_basis },
        },
        bases: await readBases(sql, organisationId),
        operator: partyOf(await readOperator(sql)),
        ...{ activities, classes: storedClasses(), lines: linesUnder(policy) },
        receivers: (
          await register(
            sql,
            destinations.map(({ kind }) => kind),
          )
        ).receivers,
        ...{ visitorFields, storage, visitorStorage, measures: measures() },
      };
    },
  };
}
