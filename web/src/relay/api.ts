import type { z } from 'zod';
import type {
  MappingTrial,
  MappingTrialAnswer,
  MappingVersion,
  madeRelaySource,
  madeSigningSecret,
  mappingOfVersion,
  mappingTestAnswer,
  newRelayDestination,
  newRelayRoute,
  newRelaySource,
  RelayCapture,
  RelayDestination,
  RelayRoute,
  RelaySource,
  RelaySourceContents,
  relayDestinationChange,
  relayDestinations,
  relayRouteChange,
  relayRoutes,
  relaySourceChange,
  relaySources,
  routeTestAnswer,
} from '../../../contract/relay_settings.ts';
import { call } from '../desk/api.ts';

type Sent<T extends z.ZodType> = z.input<T>;
type Parsed<T extends z.ZodType> = z.output<T>;
export type SourceList = Parsed<typeof relaySources>;
export type MadeSource = Parsed<typeof madeRelaySource>;
export type NewSource = Sent<typeof newRelaySource>;
export type SourceChange = Sent<typeof relaySourceChange>;
export type DestinationList = Parsed<typeof relayDestinations>;
export type NewDestination = Sent<typeof newRelayDestination>;
export type DestinationChange = Sent<typeof relayDestinationChange>;
export type RouteRulesSent = NonNullable<Sent<typeof newRelayRoute>['rules']>;
export type RouteTest = Parsed<typeof routeTestAnswer>;
export type SavedMapping = Parsed<typeof mappingOfVersion>;
export type MappingTest = Parsed<typeof mappingTestAnswer>;

/** Calls about the relay of one organisation. */
export function relayOf(organisationId: number) {
  const base = `/api/organisations/${organisationId}/relay`;
  const source = (id: number) => `${base}/sources/${id}`;
  return {
    sources: () => call<SourceList>('GET', `${base}/sources`),
    source: (id: number) => call<RelaySource>('GET', source(id)),
    addSource: (body: NewSource) => call<MadeSource>('POST', `${base}/sources`, { body }),
    changeSource: (id: number, body: SourceChange) => call<RelaySource>('PATCH', source(id), { body }),
    replaceAddress: (id: number) => call<MadeSource>('POST', `${source(id)}/addresses`),
    replaceSecret: (id: number, secret?: string) =>
      call<Parsed<typeof madeSigningSecret>>('POST', `${source(id)}/secrets`, {
        body: secret === undefined ? {} : { secret },
      }),
    contents: (id: number) => call<RelaySourceContents>('GET', `${source(id)}/contents`),
    deleteSource: (id: number) => call<undefined>('DELETE', source(id)),
    captures: (id: number) => call<{ captures: RelayCapture[] }>('GET', `${source(id)}/captures`),
    mappings: (id: number) => call<{ versions: MappingVersion[] }>('GET', `${source(id)}/mappings`),
    mapping: (id: number, version: number) => call<SavedMapping>('GET', `${source(id)}/mappings/${version}`),
    mappingFile: (id: number, version: number) => `${source(id)}/mappings/${version}/file`,
    saveMapping: (id: number, body: { mapping: unknown; after: number; note?: string }) =>
      call<SavedMapping>('POST', `${source(id)}/mappings`, { body }),
    restoreMapping: (id: number, version: number, after: number) =>
      call<SavedMapping>('POST', `${source(id)}/mappings/${version}/restoration`, { body: { after } }),
    tryRequest: (id: number, body: MappingTrial, signal?: AbortSignal) =>
      call<MappingTrialAnswer>('POST', `${source(id)}/try`, { body, signal }),
    testMapping: (id: number, mapping: unknown) =>
      call<MappingTest>('POST', `${source(id)}/tests`, { body: { mapping } }),
    destinations: () => call<DestinationList>('GET', `${base}/destinations`),
    addDestination: (body: NewDestination) => call<RelayDestination>('POST', `${base}/destinations`, { body }),
    changeDestination: (id: number, body: DestinationChange) =>
      call<RelayDestination>('PATCH', `${base}/destinations/${id}`, { body }),
    removeDestination: (id: number) => call<undefined>('DELETE', `${base}/destinations/${id}`),
    routes: () => call<Parsed<typeof relayRoutes>>('GET', `${base}/routes`),
    addRoute: (body: Sent<typeof newRelayRoute>) => call<RelayRoute>('POST', `${base}/routes`, { body }),
    changeRoute: (id: number, body: Sent<typeof relayRouteChange>) =>
      call<RelayRoute>('PATCH', `${base}/routes/${id}`, { body }),
    removeRoute: (id: number) => call<undefined>('DELETE', `${base}/routes/${id}`),
    testRoute: (body: Sent<typeof newRelayRoute>) => call<RouteTest>('POST', `${base}/route-tests`, { body }),
  };
}
