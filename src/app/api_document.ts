import { readFileSync } from 'node:fs';
import { event, eventsAnswer } from '../../contract/event.ts';
import { ingestLimits } from '../../contract/limits.ts';
import { scopePermissions } from '../accounts/index.ts';
import type { Config } from '../platform/config.ts';
import { errorAnswer, jsonOf, type OpenApi, type Operation, openApiOf, schemaOf } from '../platform/http/openapi.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import { apiPage, apiPageStyle } from './api_page.ts';
import { version } from './version.ts';

/**
 * What the desk says about its own API: the OpenAPI document, made from the schemas that requests are checked against,
 * and a page of it that people can read. Both are public, as the source is.
 */
export function documentRoutes(calls: readonly Route[], config: Pick<Config, 'publicUrl'>): Route[] {
  // The document is made when it is first asked for: most starts are followed by no such question.
  let made: OpenApi | undefined;
  const own: Route[] = [
    defineRoute({
      method: 'GET',
      path: '/api/openapi.json',
      access: 'public',
      summary: 'This document: OpenAPI 3.1.',
      async handle() {
        return { body: document() };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/docs',
      access: 'public',
      summary: 'The same as a page.',
      async handle() {
        const body = apiPage(document(), errorCodes(), warnings());
        return { body, headers: { 'content-type': 'text/html; charset=utf-8' } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/docs.css',
      access: 'public',
      summary: 'How that page looks.',
      async handle() {
        return { body: apiPageStyle, headers: { 'content-type': 'text/css; charset=utf-8' } };
      },
    }),
  ];
  function document(): OpenApi {
    made ??= openApiOf([...calls, ...own], {
      ...{ version, publicUrl: config.publicUrl, tagOf, more: collection() },
      scopesOf: (permission) =>
        Object.entries(scopePermissions).flatMap(([scope, held]) => (held.includes(permission) ? [scope] : [])),
    });
    return made;
  }
  return own;
}

/** By subject, in the order in which somebody who starts reads. */
function tagOf(path: string): string {
  if (path.startsWith('/api/v2/')) return 'Questions';
  if (/^\/api\/(set-up|session|sessions)\b/.test(path)) return 'Sessions';
  if (path.startsWith('/api/keys')) return 'Keys';
  if (path.includes('/relay/')) return 'Conversion relay';
  if (path.startsWith('/api/sites')) return 'Sites';
  if (path.startsWith('/share/')) return 'Shared pages';
  return 'This document';
}

/** The collection plane answers without routes: docs/guides/tracker.md and moving-in.md. */
function collection(): OpenApi['paths'] {
  const one = schemaOf(event, 'input');
  return {
    '/api/event': {
      post: {
        operationId: 'postApiEvent',
        summary: 'Takes one event, or a list of at most 1,000.',
        description:
          'Answers 202 also for what it drops: the reasons are in x-fairlead-dropped. A key with events:write may say time, address and agent of the visitor itself.',
        tags: ['Collection'],
        security: [{}, { key: [] }],
        requestBody: {
          required: true,
          content: jsonOf({
            oneOf: [one, { type: 'array', items: one, maxItems: ingestLimits.batchEventsMax }],
          }),
        },
        responses: {
          '202': {
            description: 'Stored durably, or dropped for a reason. A list is answered with its counts.',
            content: { 'text/plain': { schema: { const: 'ok' } }, ...jsonOf(schemaOf(eventsAnswer, 'output')) },
          },
          default: errorAnswer,
        },
      },
    },
    '/api/send': { post: moved('postApiSend', 'Takes events of Umami’s tracker.') },
    '/api/batch': { post: moved('postApiBatch', 'Takes batches of Umami’s clients.') },
    '/api/identify': {
      post: moved('postApiIdentify', 'Counts what Rybbit’s tracker says about people; nothing is kept.'),
    },
    '/api/track': { post: moved('postApiTrack', 'Takes events of Rybbit’s tracker, and of OpenPanel’s.') },
    '/api/visitor': {
      post: {
        ...{ operationId: 'postApiVisitor', tags: ['Collection'], security: [{}] },
        summary: 'What the tracker asks in storage mode: whether consent is needed, and links from host to host.',
        requestBody: { required: true, content: jsonOf({ type: 'object' }) },
        responses: { '200': { description: 'As the guide of the tracker says.' }, default: errorAnswer },
      },
    },
    '/track': { post: moved('postTrack', 'Takes events of OpenPanel’s clients.') },
  };
}

/** Endpoints of other products have the shape that those products document. */
function moved(operationId: string, summary: string): Operation {
  return {
    ...{ operationId, summary, tags: ['Collection'], security: [{}] },
    requestBody: { required: true, content: jsonOf({ type: 'object' }) },
    responses: { '2XX': { description: 'As that product answers.' } },
  };
}

/** The rows of the guide, which a test compares with the codes that exist. Read once: it is the program's own file. */
let guide: string | undefined;
function rowsOfGuide(row: RegExp): string[][] {
  guide ??= readFileSync(new URL('../../docs/guides/errors.md', import.meta.url), 'utf8');
  return [...guide.matchAll(row)].map(([, ...cells]) => cells);
}

const errorCodes = () => rowsOfGuide(/^\| (`\w+`) \| (\d+) \| (.*) \| (.*) \|$/gm);
const warnings = () => rowsOfGuide(/^\| (`\w+`) \| (`[\w.]+`) \| ([^|]*) \|$/gm);
