import type { IncomingMessage } from 'node:http';
import { repeat } from '../platform/clock.ts';
import { type Principal, RequestError } from '../platform/http/route.ts';
import { prepared } from '../platform/postgres/index.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import { utcDay } from '../platform/zone.ts';
import { type Alerts, openAlerts } from './alerts/index.ts';
import { openApiKeys } from './api_keys.ts';
import { openClosing } from './closing/index.ts';
import { accessCookie, readCookie, refreshCookie } from './cookies.ts';
import { accountHolders } from './holders.ts';
import { openIdentities } from './identities/index.ts';
import { keyAccess } from './key_routes.ts';
import { isAgreementDue, openLegal } from './legal/index.ts';
import { notificationExecutor } from './mail/ageing.ts';
import { type Notices, openMailPart } from './mail/index.ts';
import { openOrganisations, openStatuses, readMemberships } from './organisations/index.ts';
import { openPasswords } from './passwords.ts';
import { openPeople, type PeopleSubject, tellOfCopy } from './people/index.ts';
import { findPerson } from './people/person.ts';
import { forgetEnded } from './people/retention.ts';
import type { Asker } from './people/sign_in.ts';
import { personPrincipal, underOrganisationStatus } from './roles.ts';
import { accountRoutes } from './routes.ts';
import { openSessions } from './sessions.ts';
import { openSetUp, type SetUp } from './set_up.ts';
import { openSignUp } from './sign_up/index.ts';
import { forgetThrottles } from './throttle.ts';
import { type AccessClaims, openTokens } from './tokens.ts';
import { openWatch } from './watch.ts';

export { onSitesChanged, sitesChanged } from './changes.ts';
export { closeAgain, closedPeople } from './closing/again.ts';
export { readCookie } from './cookies.ts';
export { readDomain } from './domain.ts';
export { changeDomain, freeDomain, listFormerDomains } from './former_domains.ts';
export { agreeOnKey } from './installation.ts';
export { type Notices, openNotices } from './mail/index.ts';
export {
  closedOrganisations,
  closeOrganisationAgain,
  effectiveStatus,
  findOrganisation,
  onOrganisationEnds,
  onOrganisationRemoved,
  organisationOfPath,
  readMemberships,
  removeWhatIsClosed,
} from './organisations/index.ts';
export { checkPassword } from './password_rules.ts';
export { openPasswords, type Passwords } from './passwords.ts';
export { sealAddresses } from './people/index.ts';
export { emailIn, findPerson } from './people/person.ts';
export { dayText } from './people/when.ts';
export { countryOf, learnPlaces, placeOf } from './place.ts';
export { permissionsOf, rolePermissions, scopePermissions } from './roles.ts';
export { createOrganisation, noteFirstOwner } from './set_up.ts';
export { addSite, findSite, listSites, readNewSite, siteOfPath, whoseOf } from './sites.ts';
export { concernLimits, openThrottles, requestLimits, type Throttles } from './throttle.ts';

export const accountsMigrations = new URL('./migrations/', import.meta.url);

/** Links of mails live an hour, so what has expired goes within minutes; ended sessions go with it. */
const forgetEveryMs = 10 * 60_000;
const forgetFirstMs = 60_000;

const livingPersonText = prepared(
  `SELECT p.is_operator, p.last_seen_day
   FROM (SELECT 1 FROM sessions WHERE family = $2 AND replaced_at IS NULL AND revoked_at IS NULL LIMIT 1) living
   JOIN people p ON p.id = $1 AND p.status NOT IN ('suspended', 'closed')`,
);

export interface Accounts extends RunningSubject {
  setUp: SetUp;
  passwords: ReturnType<typeof openPasswords>;
  apiKeys: ReturnType<typeof openApiKeys>;
  /** Tells people things in the app, and by mail where they want it. */
  notices: Notices;
  /**
   * A session for somebody who has proved who they are in another way than by password.
   * @returns its cookies, each a `set-cookie`; undefined when nobody has this address
   */
  startSession(email: string, asker: Asker): Promise<string[] | undefined>;
  /** Alerts that are posted to organisations' addresses by the clock; done by itself, and here for whoever cannot wait. */
  alerts: Pick<Alerts, 'work'>;
  /** Closing accounts by the clock; done by itself, and here for whoever cannot wait. */
  closing: { closeDue(): Promise<number> };
  /** Signing in, second factors and links of mails, for what else may prove a person. */
  people: PeopleSubject;
  /** Who sends this request? A key in the Authorization header, else the session cookie. */
  authenticate(request: IncomingMessage): Promise<Principal | undefined>;
  /** The same for a bare `Authorization` value, for the collection plane. */
  authenticateHeader(authorization: string | undefined): Promise<Principal | undefined>;
}

/** Opens sign-in. Everything that a session or a key may do is decided by the principal that `authenticate` returns. */
export function openAccounts(house: Omit<House, 'authenticate'>, options: { version: string }): Accounts {
  const { postgres, clock, random, keys } = house;
  const passwords = openPasswords({ keys, clock, cost: house.config.passwordCost });
  const mailPart = openMailPart(house);
  const { notices } = mailPart;
  const tokens = openTokens({ keys, clock, random });
  const sessions = openSessions({ postgres, clock, random, tokens, onCopied: tellOfCopy({ ...house, notices }) });
  const apiKeys = openApiKeys(house);
  const setUp = openSetUp({ ...house, passwords });
  const statuses = openStatuses({ postgres, clock });
  const people = openPeople(house, { passwords, sessions, notices });
  async function forget(): Promise<void> {
    await forgetThrottles(postgres, clock);
    await forgetEnded(house);
  }
  const stopForgetting = repeat(clock, forgetEveryMs, forget, {
    firstMs: forgetFirstMs,
    onError: (error) => house.log.error('people.forget_failed', {}, error),
  });
  const watch = openWatch({ ...house, notices });
  const legal = openLegal(house);
  const organisations = openOrganisations({ house, passwords, signIns: people.signIns, statuses, legal, notices });
  const signUp = openSignUp(house, {
    passwords,
    signIns: people.signIns,
    legal,
    invitations: organisations.invitations,
    later: people.later,
    refuseInsecure: people.refuseInsecure,
  });

  async function authenticateHeader(authorization: string | undefined): Promise<Principal | undefined> {
    if (authorization === undefined || !/^bearer /i.test(authorization)) return undefined;
    const principal = await apiKeys.authenticate(authorization.slice(7).trim());
    if (principal === undefined)
      throw new RequestError(
        'unauthenticated',
        'This API key is unknown, expired or revoked. Make a new one under Settings, Keys.',
      );
    return principal.organisationId === undefined
      ? principal
      : underOrganisationStatus(principal, await statuses.of(principal.organisationId));
  }

  async function authenticate(request: IncomingMessage): Promise<Principal | undefined> {
    const byKey = await authenticateHeader(request.headers.authorization);
    if (byKey !== undefined) return byKey;
    const token = readCookie(request.headers.cookie, accessCookie);
    if (token === undefined) return undefined;
    const reading = await tokens.readAccess(token);
    if (reading.kind === 'refused') return undefined;
    const person = reading.kind === 'valid' ? await livingPerson(reading.claims) : undefined;
    if (person !== undefined) return person;
    throw new RequestError(
      'session_ended',
      reading.kind === 'expired' && readCookie(request.headers.cookie, refreshCookie) !== undefined
        ? 'The access token has expired. Refresh the session, or sign in again.'
        : 'This session has ended. Sign in again.',
    );
  }

  /** Asked of the tables on every request: a session that was ended and a role that was changed count at once (AUT-14). */
  async function livingPerson({ personId, family }: AccessClaims): Promise<Principal | undefined> {
    return postgres.person(personId, async (sql) => {
      const now = clock.now();
      // Sent at once, so that they wait for one answer.
      const [person, memberships, isDue] = await Promise.all([
        sql.maybe<{ is_operator: boolean; last_seen_day: string | null }>(livingPersonText, [personId, family]),
        readMemberships(sql, personId, now),
        isAgreementDue(sql, personId),
      ]);
      if (person === undefined) return undefined;
      const today = utcDay(now);
      if (person.last_seen_day !== today)
        await sql.run('UPDATE people SET last_seen_day = $2 WHERE id = $1', [personId, today]);
      return personPrincipal({
        id: personId,
        session: family,
        isOperator: person.is_operator,
        isAgreementDue: isDue,
        memberships: new Map(memberships.map((one) => [one.organisationId, one])),
      });
    });
  }

  const alerts = openAlerts(house, notices);
  const closing = openClosing({ house, sessions, people });
  const identities = openIdentities(house, {
    signIns: people.signIns,
    sessions,
    admit: signUp.admit,
    async whoIs(headers) {
      const principal = await authenticate({ headers } as IncomingMessage);
      return principal?.kind === 'person' ? principal : undefined;
    },
    proveAgain: people.proveAgain,
    expectPassword: passwords.prepare,
    refuseInsecure: people.refuseInsecure,
  });

  return {
    setUp,
    passwords,
    apiKeys,
    people,
    closing,
    async startSession(email, asker) {
      const personId = await findPerson(house, email);
      if (personId === undefined) return undefined;
      const outcome = await people.signIns.finish(asker, personId, ['demo'], { isTwoFactors: true });
      return outcome.cookies;
    },
    authenticate,
    authenticateHeader,
    routes: [
      ...accountRoutes({ house, sessions, people, apiKeys, setUp, version: options.version }),
      ...people.routes,
      ...closing.routes,
      ...organisations.routes,
      ...identities.routes,
      ...legal.routes,
      ...signUp.routes,
      ...mailPart.routes,
      ...alerts.routes,
    ],
    gauges: [...(mailPart.gauges ?? []), ...watch.gauges],
    notices,
    alerts,
    executors: [notificationExecutor(house.postgres), ...alerts.executors],
    holders: accountHolders(house),
    access: [...organisations.access, keyAccess({ house, apiKeys })],
    commands: { ...organisations.commands, ...people.commands, ...closing.commands, ...signUp.commands },
    async stop() {
      mailPart.stop();
      watch.stop();
      await alerts.stop();
      stopForgetting();
      organisations.stop();
      closing.stop();
      identities.stop();
      await people.settle();
      passwords.close();
    },
  };
}
