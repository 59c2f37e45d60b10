import { z } from 'zod';
import { annotation, newAnnotation } from '../../contract/annotations.ts';
import { siteOfPath } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { refuseWhileHeld } from '../trust/windows/index.ts';
import { siteTarget } from './act_target.ts';
import { checkSiteLimit } from './site_limit.ts';

type Annotation = z.infer<typeof annotation>;

/** A chart of ten years with two notes a week. */
const annotationsPerSiteMax = 1_000;

const columns = 'id, day::text AS day, note';

const noSuchAnnotation = () => new RequestError('not_found', 'There is no annotation with this number on this site.');

function noteTarget({ id, note }: Annotation) {
  return { type: 'annotation', id, label: note };
}

/** What happened that the numbers do not say: read by everyone who reads the chart, written by who may set goals. */
export function annotationRoutes({ postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/annotations',
      access: 'stats.read',
      summary: 'What people wrote onto the chart of a site, oldest day first.',
      params: z.object({ domain: z.string() }),
      answer: z.object({ annotations: z.array(annotation) }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const annotations = await postgres.tenant(site.organisation_id, (sql) =>
          sql.query<Annotation>(`SELECT ${columns} FROM annotations WHERE site_id = $1 ORDER BY day, id`, [site.id]),
        );
        return { body: { annotations } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/annotations',
      access: 'goal.manage',
      summary: 'Writes onto the chart of a site what happened on a day.',
      params: z.object({ domain: z.string() }),
      body: newAnnotation,
      answer: annotation,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          await checkSiteLimit(sql, site.id, 'annotations', annotationsPerSiteMax);
          const added = await sql.one<Annotation>(
            `INSERT INTO annotations (organisation_id, site_id, day, note, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
            [
              site.organisation_id,
              site.id,
              request.body.day,
              request.body.note,
              principal?.kind === 'person' ? principal.id : null,
              new Date(clock.now()),
            ],
          );
          await audit.record(sql, site.organisation_id, {
            action: 'annotation.added',
            ...actOf({ ...request, principal }),
            targets: [noteTarget(added), siteTarget(site)],
          });
          return added;
        });
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/annotations/:id',
      access: 'goal.manage',
      summary: 'Changes what an annotation says, or its day.',
      params: z.object({ domain: z.string(), id: z.coerce.number().int().positive() }),
      body: newAnnotation,
      answer: annotation,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { day, note } = request.body;
        const changed = await postgres.tenant(site.organisation_id, async (sql) => {
          const now = await sql.maybe<Annotation>(
            `UPDATE annotations SET day = $1, note = $2 WHERE id = $3 AND site_id = $4 RETURNING ${columns}`,
            [day, note, request.params.id, site.id],
          );
          if (now === undefined) throw noSuchAnnotation();
          await audit.record(sql, site.organisation_id, {
            action: 'annotation.changed',
            ...actOf(request),
            targets: [noteTarget(now), siteTarget(site)],
          });
          return now;
        });
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/annotations/:id',
      access: 'goal.manage',
      summary: 'Takes an annotation off the chart.',
      params: z.object({ domain: z.string(), id: z.coerce.number().int().positive() }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await postgres.tenant(site.organisation_id, async (sql) => {
          await refuseWhileHeld(sql, site.organisation_id, site.id);
          const gone = await sql.maybe<Annotation>(
            `DELETE FROM annotations WHERE id = $1 AND site_id = $2 RETURNING ${columns}`,
            [request.params.id, site.id],
          );
          if (gone === undefined) throw noSuchAnnotation();
          await audit.record(sql, site.organisation_id, {
            action: 'annotation.removed',
            ...actOf(request),
            targets: [noteTarget(gone), siteTarget(site)],
          });
        });
        return { status: 204 };
      },
    }),
  ];
}
