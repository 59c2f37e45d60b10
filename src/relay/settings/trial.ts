import type { Conversion } from '../../../contract/conversion.ts';
import type { Condition, Mapping } from '../../../contract/mapping.ts';
import type { ConversionRegion, RouteRules } from '../../../contract/relay.ts';
import { type MappingTrialAnswer, type TriedDelivery, trialConversionsMax } from '../../../contract/relay_settings.ts';
import type { House } from '../../platform/subject.ts';
import { factsOf } from '../conversions/facts.ts';
import { type Destination, SettingsProblem } from '../destinations/destination.ts';
import { destinationOf, type Versions, versionOf } from '../destinations/index.ts';
import { platformId } from '../intake/loader.ts';
import { identityOf, regionOfConversion } from '../intake/record.ts';
import { sealingOf } from '../intake/running.ts';
import { consentProblem, type UnknownConsent } from '../routing/consent.ts';
import { planRoute, routed } from '../routing/route.ts';
import { takeRequest } from '../sources/capture.ts';
import { type CapturedRequest, isProvingHeader, readRequest } from '../sources/request.ts';
import { hideConversion, hideData, hideRequest, personalPaths } from './hidden.ts';

/** A route with where it goes, as far as a trial needs it. */
export interface TriedRoute {
  readonly id: number;
  readonly rules: RouteRules;
  readonly destination: {
    readonly id: number;
    readonly name: string;
    readonly kind: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly test_code: string | null;
    readonly is_dry_run: boolean;
    readonly unknown_consent: UnknownConsent;
  };
}

/**
 * What would become of a request: which conversions are in it, and what would go to each destination. Pure, and nothing is
 * kept of it. Signatures are not looked at: what proves a sender is in no request that was kept.
 * @param now milliseconds since 1970: when the request came
 */
export function tryRequest(
  request: CapturedRequest,
  {
    mapping,
    ping,
    routes,
    judging,
  }: { mapping: Mapping; ping?: Condition | undefined; routes: readonly TriedRoute[]; judging: Judging },
  now: number,
): Omit<MappingTrialAnswer, 'mapping_problem'> {
  const taken = takeRequest(request, { mapping, ping }, now);
  return {
    ...{ status: taken.status, reason: taken.reason, field: taken.field },
    problems: taken.problems.map((one) => ({ ...one })),
    read: shownRequest(request, mapping, now),
    conversions: taken.conversions.slice(0, trialConversionsMax).map((conversion) => ({
      conversion: hideConversion(conversion),
      deliveries: routes.map((route) => tryRoute(route, conversion, judging, now)),
    })),
    found: taken.conversions.length,
  };
}

export function shownRequest(request: CapturedRequest, mapping: Mapping, now: number): MappingTrialAnswer['read'] {
  const read = readRequest(request, now);
  if ('refused' in read) return null;
  const [first] = read.records;
  if (first === undefined) return null;
  const paths = personalPaths(mapping);
  return {
    ...{ method: request.method, records: read.records.length, body: hideData(first.body, paths) },
    query: hidden(first.query, paths, '$query'),
    headers: hidden(first.headers, paths, '$headers'),
  };
}

function hidden(names: unknown, paths: ReadonlySet<string>, root: string): Record<string, unknown> {
  const shown = Object.entries(names as object).filter(([name]) => root === '$query' || !isProvingHeader(name));
  return Object.fromEntries(shown.map(([name, value]) => [name, hideData(value, paths, [root, name])]));
}

/** What the relay knows beside the conversion itself when it judges one. */
export interface Judging {
  region(conversion: Conversion): ConversionRegion;
  /** The id under which the platform would know it. */
  id(facts: Conversion, destination: Pick<TriedRoute['destination'], 'id' | 'kind'>): string;
  /** The operator's, of platforms' interfaces. */
  readonly versions?: Versions | undefined;
}

/** A conversion that was taken has a number of its own; a trial has none. */
const noNumber = '00000000-0000-0000-0000-000000000000';

export function judgingOf(
  house: Parameters<typeof sealingOf>[0] & Pick<House, 'config'>,
): (organisationId: number, sourceId: number) => Judging {
  const sealing = sealingOf(house);
  return (organisationId, source) => ({
    region: (conversion) => regionOfConversion(conversion, sealing),
    id(facts, destination) {
      const of = { id: source, organisationId, siteId: null, kind: 'http', doublesMinutes: 0 } as const;
      const identity = identityOf(facts, of, house.keys);
      return platformId(house.keys, organisationId, { id: noNumber, facts, source, identity }, destination);
    },
    versions: house.config.versions,
  });
}

/** What would go to the destination of a route for one conversion. */
export function tryRoute(
  { id, rules, destination: to }: TriedRoute,
  conversion: Conversion,
  judging: Judging,
  now: number,
): TriedDelivery {
  const said = { route_id: id, destination_id: to.id, destination: to.name, kind: to.kind };
  const destination = destinationOf(to.kind);
  if (destination === undefined) return { ...said, outcome: 'misconfigured', reason: 'settings', field: 'kind' };
  const facts = factsOf(conversion);
  const going = routed(planRoute(rules), facts);
  if (!going.goes) return { ...said, outcome: 'skipped', reason: going.why };
  const withheld = consentProblem(facts.consent, judging.region(conversion), destination, to.unknown_consent);
  if (withheld !== undefined)
    return { ...said, outcome: 'withheld', reason: withheld.reason as 'consent_denied', field: withheld.field };
  const settings = settingsOf(destination, to, going.as);
  if ('missing' in settings) return { ...said, outcome: 'misconfigured', reason: 'settings', field: settings.missing };
  const sent = {
    ...facts,
    ...(going.value !== null && { value: going.value }),
    ...(going.as !== null && destination.eventSetting === undefined && { event_name: going.as }),
  };
  const item = { conversion: sent, identifiers: destination.identify(conversion), id: judging.id(facts, to) };
  const refusal = destination.refuse(item, settings.read, now);
  if (refusal !== undefined) return { ...said, outcome: 'refused', reason: refusal.reason, field: refusal.field };
  const built = destination.build([item], settings.read, now, versionOf(destination, judging.versions));
  const request = to.is_dry_run ? (destination.asDryRun?.(built) ?? built) : built;
  return { ...said, outcome: rules.hold === true ? 'held' : 'sent', request: { ...hideRequest(request, conversion) } };
}

export function settingsOf(
  destination: Destination,
  { settings, test_code }: TriedRoute['destination'],
  as: string | null,
): { read: unknown } | { missing: string } {
  const { eventSetting } = destination;
  try {
    const read = destination.settings(
      as === null || eventSetting === undefined ? settings : { ...settings, [eventSetting]: as },
    );
    return { read: test_code === null ? read : (destination.asTest?.(read, test_code) ?? read) };
  } catch (error) {
    if (error instanceof SettingsProblem) return { missing: error.field };
    throw error;
  }
}

/** Was there something to make of it, and is it as it should be? */
export function isClean({
  problems,
  found,
  reason,
}: Pick<MappingTrialAnswer, 'problems' | 'found' | 'reason'>): boolean {
  return problems.length === 0 && (found > 0 || reason === 'ignored');
}
