import type { Route } from './route.ts';

/** Routes by number of segments, so that a request is compared with a handful of patterns. */
export type RouteTable = Map<number, { segments: string[]; route: Route }[]>;

export type Match =
  | { kind: 'found'; route: Route; params: Record<string, string> }
  | { kind: 'method'; allowed: string[] }
  | { kind: 'none' };

/** @throws when two routes have the same method and shape: a mistake of ours, found at start. */
export function routeTable(routes: Route[]): RouteTable {
  const table: RouteTable = new Map();
  const seen = new Set<string>();
  for (const route of routes) {
    const shape = `${route.method} ${route.path.replace(/:[^/]+/g, ':')}`;
    if (seen.has(shape)) throw new Error(`Two routes answer ${shape}.`);
    seen.add(shape);
    const segments = route.path.split('/').slice(1);
    const group = table.get(segments.length) ?? [];
    group.push({ segments, route });
    table.set(segments.length, group);
  }
  // Literal segments win over parameters, whatever the order of registration.
  for (const group of table.values()) group.sort((a, b) => parameterCount(a.segments) - parameterCount(b.segments));
  return table;
}

function parameterCount(segments: string[]): number {
  return segments.filter((segment) => segment.startsWith(':')).length;
}

/** HEAD is answered by GET. A parameter is percent-decoded; one that cannot be decoded matches nothing. */
export function matchRoute(table: RouteTable, method: string, path: string): Match {
  const parts = path.split('/').slice(1);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const { segments, route } of table.get(parts.length) ?? []) {
    const params = readParams(segments, parts);
    if (params === undefined) continue;
    if (route.method === wanted) return { kind: 'found', route, params };
    allowed.add(route.method);
  }
  return allowed.size > 0 ? { kind: 'method', allowed: [...allowed].sort() } : { kind: 'none' };
}

function readParams(segments: string[], parts: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as string;
    const part = parts[index] as string;
    if (segment.startsWith(':')) {
      if (part === '') return undefined;
      try {
        params[segment.slice(1)] = decodeURIComponent(part);
      } catch {
        return undefined;
      }
    } else if (segment !== part) return undefined;
  }
  return params;
}
