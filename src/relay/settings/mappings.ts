import type { Mapping } from '../../../contract/mapping.ts';
import { captureLimits } from '../../../contract/mapping.ts';
import {
  mappingOfVersion,
  mappingRestoration,
  mappingTest,
  mappingTestAnswer,
  mappingTrial,
  mappingTrialAnswer,
  mappingVersions,
  newMappingVersion,
} from '../../../contract/relay_settings.ts';
import { defineRoute, RequestError, type Route, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { relayChanged } from '../changes.ts';
import { type MappingProblem, readMapping } from '../mapping/plan.ts';
import { presetOf } from '../sources/presets/index.ts';
import type { CapturedRequest } from '../sources/request.ts';
import { openKept } from './kept.ts';
import { mappingInForce, mappingRow, mappingRows, shownVersion } from './mapping_rows.ts';
import { note, ofSource, ofVersion, oneAtATime, organisationFor, type SettingsHouse } from './parts.ts';
import { triedRoutes } from './route_rows.ts';
import { sourceRow } from './source_rows.ts';
import { isClean, judgingOf, tryRequest } from './trial.ts';

/** A pasted body stands inside a JSON text, which doubles what has to be escaped. */
const trialBytesMax = 2 * captureLimits.bodyBytesMax + 400_000;
const mappingBytesMax = 1_000_000;

type Asker = Parameters<typeof organisationFor>[0];

/** How requests of a source are read: versions of its mapping, and trials of one that is being made. */
export function mappingRoutes(house: SettingsHouse): Route[] {
  const { postgres, clock } = house;
  const kept = openKept(house);
  const judging = judgingOf(house);

  /** Saves a mapping as the next version, which is in force from the next request on. @throws RequestError conflict */
  async function save(
    sql: Sql,
    request: Asker & RouteRequest<{ organisation: number; source: number }, unknown, unknown>,
    { mapping, note: words, after }: { mapping: Mapping; note: string | null; after: number },
    details: Record<string, number> = {},
  ) {
    const { source: id, organisation } = request.params;
    await oneAtATime(sql, `relay mapping of source ${id}`);
    const source = await sourceRow(sql, id, clock.now());
    if (source.mapping_version !== after)
      throw new RequestError(
        'conflict',
        `Version ${source.mapping_version} was saved meanwhile. Look at it, and save again on top of it.`,
        { field: 'after' },
      );
    const version = after + 1;
    await sql.run(
      `INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, note, created_at, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        ...[organisation, id, version, JSON.stringify(mapping), words, new Date(clock.now())],
        request.principal?.kind === 'person' ? request.principal.id : null,
      ],
    );
    await sql.run('UPDATE relay_sources SET mapping_version = $2 WHERE id = $1', [id, version]);
    await note(
      house,
      sql,
      request,
      'relay.mapping_saved',
      { type: 'relay_source', id, label: source.name },
      {
        ...{ version, ...details },
      },
    );
    const row = await mappingRow(sql, id, version);
    return { ...(await shownVersion(house, sql, row, version)), mapping: row.mapping };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source/mappings',
      access: 'relay.read',
      summary: 'The versions of a mapping, the newest first.',
      params: ofSource,
      answer: mappingVersions,
      async handle(request) {
        const organisation = organisationFor(request);
        const versions = await postgres.tenant(organisation, async (sql) => {
          const source = await sourceRow(sql, request.params.source, clock.now());
          const shown = [];
          for (const row of await mappingRows(sql, source.id))
            shown.push(await shownVersion(house, sql, row, source.mapping_version));
          return shown;
        });
        return { body: { versions } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/mappings',
      access: 'relay.manage',
      summary: 'Saves a mapping as the next version. It holds from the next request on.',
      params: ofSource,
      body: newMappingVersion,
      bodyBytesMax: mappingBytesMax,
      answer: mappingOfVersion,
      async handle(request) {
        const organisation = organisationFor(request);
        const { mapping, note: words, after } = request.body;
        const read = readMapping(mapping);
        if ('problem' in read)
          throw new RequestError('invalid_field', sentenceOf(read.problem), { field: fieldOf(read.problem) });
        const saved = await postgres.tenant(organisation, (sql) =>
          save(sql, request, { mapping: read.mapping, note: words ?? null, after }),
        );
        await relayChanged();
        return { status: 201, body: saved };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source/mappings/:version',
      access: 'relay.read',
      summary: 'One version of a mapping with its rules.',
      params: ofVersion,
      answer: mappingOfVersion,
      async handle(request) {
        const organisation = organisationFor(request);
        return { body: await postgres.tenant(organisation, (sql) => oneVersion(sql, request.params)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source/mappings/:version/file',
      access: 'relay.read',
      summary: 'The rules of one version as a file of JSON, which can be saved as a version of any source.',
      params: ofVersion,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source, version } = request.params;
        const { mapping } = await postgres.tenant(organisation, (sql) => oneVersion(sql, request.params));
        return {
          headers: { 'content-disposition': `attachment; filename="mapping-${source}-version-${version}.json"` },
          body: mapping,
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/mappings/:version/restoration',
      access: 'relay.manage',
      summary: 'Saves what an older version says as the next version.',
      params: ofVersion,
      body: mappingRestoration,
      answer: mappingOfVersion,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source, version } = request.params;
        const { after, note: words } = request.body;
        const saved = await postgres.tenant(organisation, async (sql) => {
          const { mapping } = await mappingRow(sql, source, version);
          const from = words ?? `As in version ${version}`;
          return save(sql, request, { mapping, note: from, after }, { restored: version });
        });
        await relayChanged();
        return { status: 201, body: saved };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/try',
      access: 'relay.read',
      summary:
        'What would become of a request, pasted or kept: the conversions in it, and for each active route what would go to its destination. Nothing is kept or sent.',
      params: ofSource,
      body: mappingTrial,
      bodyBytesMax: trialBytesMax,
      answer: mappingTrialAnswer,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source: id } = request.params;
        const { capture_id, request: pasted } = request.body;
        const [source, inForce, routes] = await postgres.tenant(organisation, async (sql) => {
          const row = await sourceRow(sql, id, clock.now());
          return [row, await mappingInForce(sql, row), await triedRoutes(sql, id)] as const;
        });
        const read = readMapping(request.body.mapping ?? inForce);
        const came =
          capture_id === undefined
            ? { request: requestOf(pasted as Pasted), receivedAt: clock.now() }
            : await kept.open(organisation, id, capture_id);
        if (came === undefined)
          throw new RequestError('not_found', 'This request is not kept any more. Choose another one.');
        const ping = source.preset === null ? undefined : presetOf(source.preset)?.ping;
        if ('problem' in read) {
          const { read: shown } = tryRequest(
            came.request,
            { mapping: inForce, ping, routes: [], judging: judging(organisation, id) },
            came.receivedAt,
          );
          return {
            body: {
              ...{ status: 202, reason: 'mapping' as const, field: fieldOf(read.problem), problems: [] },
              ...{ mapping_problem: read.problem, read: shown, conversions: [], found: 0 },
            },
          };
        }
        const tried = tryRequest(
          came.request,
          { mapping: read.mapping, ping, routes, judging: judging(organisation, id) },
          came.receivedAt,
        );
        return { body: { ...tried, mapping_problem: null } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/tests',
      access: 'relay.read',
      summary:
        'A mapping over every request that is kept of its source: how many it reads cleanly, and what is wrong with the others.',
      params: ofSource,
      body: mappingTest,
      bodyBytesMax: mappingBytesMax,
      answer: mappingTestAnswer,
      async handle(request) {
        const organisation = organisationFor(request);
        const { source: id } = request.params;
        const [source, inForce] = await postgres.tenant(organisation, async (sql) => {
          const row = await sourceRow(sql, id, clock.now());
          return [row, await mappingInForce(sql, row)] as const;
        });
        const read = readMapping(request.body.mapping ?? inForce);
        const all = await kept.list(organisation, id);
        if ('problem' in read)
          return { body: { captures: all.length, clean: 0, mapping_problem: read.problem, failures: [] } };
        const ping = source.preset === null ? undefined : presetOf(source.preset)?.ping;
        const failures = [];
        let looked = 0;
        for (const { id: captureId } of all) {
          const came = await kept.open(organisation, id, captureId);
          if (came === undefined) continue;
          looked += 1;
          const tried = tryRequest(
            came.request,
            { mapping: read.mapping, ping, routes: [], judging: judging(organisation, id) },
            came.receivedAt,
          );
          if (!isClean(tried))
            failures.push({ capture_id: captureId, reason: tried.reason ?? 'empty', field: tried.field });
        }
        return { body: { captures: looked, clean: looked - failures.length, mapping_problem: null, failures } };
      },
    }),
  ];

  async function oneVersion(sql: Sql, { source: id, version }: { source: number; version: number }) {
    const source = await sourceRow(sql, id, clock.now());
    const row = await mappingRow(sql, id, version);
    return { ...(await shownVersion(house, sql, row, source.mapping_version)), mapping: row.mapping };
  }
}

interface Pasted {
  readonly method: 'GET' | 'POST';
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** A source's own address ends in its secret: what is pasted begins behind it. */
function requestOf({ method, query, headers, body }: Pasted): CapturedRequest {
  const asked = query.replace(/^[^?]*\?/, '');
  return { method, url: asked === '' ? '/in/' : `/in/?${asked}`, headers, body };
}

function fieldOf({ at }: MappingProblem): string {
  return at === '' ? 'mapping' : `mapping.${at}`;
}

function sentenceOf({ at, sentence }: MappingProblem): string {
  return at === '' ? sentence : `${at}: ${sentence}`;
}
