import { z } from 'zod';
import { apiError, errorStatus } from '../../../contract/errors.ts';
import type { Access, Permission, Route } from './route.ts';

/** A JSON Schema of draft 2020-12, which is what OpenAPI 3.1 speaks. */
type Schema = Record<string, unknown>;

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security: Record<string, string[]>[];
  /** The permission that a role or a key's scope must hold; docs/guides/permissions.md says which do. */
  'x-permission'?: string;
  parameters?: { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[];
  requestBody?: { required: true; content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}

export interface OpenApi {
  openapi: '3.1.1';
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, object> };
}

/**
 * The document of an API, made from the same schemas that its requests are checked against, so that the two cannot
 * differ. `more` are calls that answer without a route, such as those of the collection plane.
 */
export function openApiOf(
  routes: readonly Route[],
  options: {
    version: string;
    publicUrl: string;
    tagOf: (path: string) => string;
    /** Scopes of a key, each of which is enough. */
    scopesOf: (permission: Permission) => string[];
    more?: OpenApi['paths'];
  },
): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const [path, operations] of Object.entries(options.more ?? {})) paths[path] = { ...operations };
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, options) };
  }
  const shared = hoisted(paths);
  const tags = new Set(
    Object.values(paths).flatMap((operations) => Object.values(operations).flatMap((each) => each.tags)),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: 'Fairlead',
      version: options.version,
      description:
        'Analytics, collection and settings of this desk. Calls with a permission take a session of the dashboard, and most of them "Authorization: Bearer <key>" with one of the scopes that they name.',
      license: { name: 'AGPL-3.0-only', identifier: 'AGPL-3.0-only' },
    },
    servers: [{ url: options.publicUrl }],
    tags: [...tags].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: errorSchema(), ...shared },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key of the organisation.' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-fairlead_access', description: 'A signed-in person.' },
      },
    },
  };
}

/**
 * What a schema says of itself (a condition of conditions) stands beside it under `$defs`, where its references look from
 * the root of a document. Here it is one document of many: it moves to the components, once however often it comes.
 */
function hoisted(paths: OpenApi['paths']): Record<string, Schema> {
  const names = new Map<string, string>();
  const schemas: Record<string, Schema> = {};
  function move(node: unknown, renamed: ReadonlyMap<string, string>): unknown {
    if (Array.isArray(node)) return node.map((one) => move(one, renamed));
    if (typeof node !== 'object' || node === null) return node;
    const { $defs, ...rest } = node as Schema & { $defs?: Record<string, Schema> };
    const own = $defs === undefined ? renamed : new Map(Object.keys($defs).map((name) => [name, nameOf($defs, name)]));
    const moved = Object.fromEntries(
      Object.entries(rest).map(([name, value]) => {
        const of = name === '$ref' ? /^#\/\$defs\/(.+)$/.exec(String(value))?.[1] : undefined;
        return [name, of === undefined ? move(value, own) : `#/components/schemas/${own.get(of)}`];
      }),
    );
    for (const [name, value] of Object.entries($defs ?? {}))
      schemas[own.get(name) as string] = move(value, own) as Schema;
    return moved;
  }
  function nameOf($defs: Record<string, Schema>, name: string): string {
    const text = JSON.stringify([$defs, name]);
    const known = names.get(text) ?? `Shared${names.size + 1}`;
    names.set(text, known);
    return known;
  }
  for (const [path, operations] of Object.entries(paths))
    paths[path] = move(operations, new Map()) as Record<string, Operation>;
  return schemas;
}

/** Every error has this shape and one of these codes. */
function errorSchema(): Schema {
  const schema = schemaOf(apiError, 'output');
  const { error } = schema.properties as { error: { properties: { code: Schema } } };
  error.properties.code = { type: 'string', enum: Object.keys(errorStatus) };
  return schema;
}

function operationOf(
  route: Route,
  { tagOf, scopesOf }: Pick<Parameters<typeof openApiOf>[1], 'tagOf' | 'scopesOf'>,
): Operation {
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name as string);
  const known = route.params === undefined ? {} : membersOf(route.params);
  const parameters = [
    ...names.map((name) => ({
      name,
      in: 'path' as const,
      required: true,
      schema: known[name]?.schema ?? { type: 'string' },
    })),
    ...Object.entries(route.query === undefined ? {} : membersOf(route.query)).map(([name, { schema, required }]) => ({
      ...{ name, in: 'query' as const, required, schema },
    })),
  ];
  const body = route.describedBody ?? route.body;
  return {
    operationId: idOf(route.method, route.path),
    summary: route.summary,
    tags: [tagOf(route.path)],
    security: securityOf(route.access, scopesOf),
    ...(['public', 'signed-in', 'operator'].includes(route.access) ? {} : { 'x-permission': route.access }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.rawBodyBytesMax === undefined ? {} : { requestBody: { required: true, content: rawContent } }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(schemaOf(body, 'input')) } }),
    responses: {
      '2XX': {
        description: route.answersFile ? 'The file.' : route.answer === undefined ? 'Done.' : 'The answer.',
        ...(route.answersFile === undefined ? {} : { content: rawContent }),
        ...(route.answer === undefined ? {} : { content: jsonOf(schemaOf(route.answer, 'output')) }),
      },
      default: errorAnswer,
    },
  };
}

export const errorAnswer = {
  description: 'What went wrong, and the next step.',
  content: jsonOf({ $ref: '#/components/schemas/Error' }),
};

const rawContent = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

export function jsonOf(schema: Schema): Record<string, { schema: Schema }> {
  return { 'application/json': { schema } };
}

export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, '~standard': __, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Schema;
  return rest;
}

function membersOf(schema: z.ZodType): Record<string, { schema: Schema; required: boolean }> {
  // As the handler gets them: a number of an address is a number here too. What has a default need not be sent.
  const { properties } = schemaOf(schema, 'output') as { properties?: Record<string, Schema> };
  const { required } = schemaOf(schema, 'input') as { required?: string[] };
  return Object.fromEntries(
    Object.entries(properties ?? {}).map(([name, member]) => [
      name,
      { schema: member, required: required?.includes(name) ?? false },
    ]),
  );
}

/** A key is named by the scopes that are enough, each for itself; what none of them allows is for people alone. */
function securityOf(access: Access, scopesOf: (permission: Permission) => string[]): Record<string, string[]>[] {
  if (access === 'public') return [];
  const scopes = access === 'signed-in' || access === 'operator' ? [] : scopesOf(access);
  return [...scopes.map((scope) => ({ key: [scope] })), { session: [] }];
}

/** `GET /api/sites/:domain/goals` → `getApiSitesDomainGoals`. */
export function idOf(method: string, path: string): string {
  const words = path.split(/[^\w]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
