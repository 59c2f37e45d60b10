/**
 * Country outlines as paths of an SVG. They come as TopoJSON (Natural Earth at 1:110 million, public domain, packed by
 * the package `world-atlas`): arcs that neighbours share, as whole-number steps from one point to the next.
 */
export interface Topology {
  /** Steps to degrees: `degrees = steps * scale + translate`, for longitude and latitude. */
  transform: { scale: readonly number[]; translate: readonly number[] };
  /** The first pair of an arc is where it begins, each further pair a step from there. */
  arcs: readonly (readonly (readonly number[])[])[];
  objects: { countries: { geometries: readonly Geometry[] } };
}

interface Geometry {
  /** ISO 3166 numeric, where the territory has one. */
  id?: string;
  type: string;
  /** Rings of arcs of a polygon, or one more level for several polygons. `~n` is arc n read backwards. */
  arcs: readonly unknown[];
  properties: { name: string };
}

export interface Outline {
  /** ISO 3166 of two letters, as visits carry it; undefined where a territory has none. */
  code: string | undefined;
  /** The `d` of a path in a picture of `mapSize`. */
  path: string;
}

/** The picture's size in its own units: without Antarctica, which nobody visits from. */
export const mapSize = { width: 800, height: 362 } as const;

const antarctica = 'AQ';
/** The one territory of the outlines that visits name by a code that ISO leaves to users. */
const namedByUsers: Record<string, string> = { Kosovo: 'XK' };

/** All outlines that are drawn. */
export function outlinesOf(topology: Topology): Outline[] {
  const arcs = topology.arcs.map((arc) => pointsOf(arc, topology.transform));
  return topology.objects.countries.geometries
    .map((geometry) => ({
      code: codeOf(geometry),
      path: ringsOf(geometry)
        .map((ring) => pathOf(ring, arcs))
        .join(''),
    }))
    .filter(({ code }) => code !== antarctica);
}

/** Browsers know which number is which country: CLDR lists numbers as aliases of the two letters. */
function codeOf({ id, properties }: Geometry): string | undefined {
  if (id === undefined) return namedByUsers[properties.name];
  const [tag = ''] = Intl.getCanonicalLocales(`und-${id.padStart(3, '0')}`);
  const code = tag.slice('und-'.length);
  return /^[A-Z]{2}$/.test(code) ? code : undefined;
}

/** Longitude and latitude in degrees. */
type Point = [number, number];

function pointsOf(arc: Topology['arcs'][number], { scale, translate }: Topology['transform']): Point[] {
  let [x, y] = [0, 0];
  return arc.map(([dx = 0, dy = 0]) => {
    x += dx;
    y += dy;
    return [x * (scale[0] ?? 1) + (translate[0] ?? 0), y * (scale[1] ?? 1) + (translate[1] ?? 0)];
  });
}

function ringsOf({ type, arcs }: Geometry): number[][] {
  return (type === 'MultiPolygon' ? arcs.flat() : arcs) as number[][];
}

/** Arcs meet in a point that both have; it is drawn once. */
function pathOf(ring: readonly number[], arcs: readonly Point[][]): string {
  const points = ring.flatMap((index, at) => {
    const arc = index < 0 ? [...(arcs[~index] ?? [])].reverse() : (arcs[index] ?? []);
    return at === 0 ? arc : arc.slice(1);
  });
  return cutAtDateLine(points)
    .map(
      (piece) =>
        `M${piece
          .map((point) =>
            project(...point)
              .map(round)
              .join(' '),
          )
          .join('L')}Z`,
    )
    .join('');
}

/** A ring that crosses the 180th meridian lies at both edges of the picture: a piece for each, closed along the edge. */
function cutAtDateLine(ring: readonly Point[]): Point[][] {
  const pieces: Point[][] = [[]];
  let before: Point | undefined;
  for (const point of ring) {
    if (before !== undefined && Math.abs(point[0] - before[0]) > 180) pieces.push([]);
    pieces.at(-1)?.push(point);
    before = point;
  }
  // A ring ends where it begins, wherever that is: what is before the first cut goes on after the last.
  const [first = [], ...others] = pieces;
  const last = others.pop();
  return last === undefined ? [first] : [[...last, ...first.slice(1)], ...others];
}

const round = (value: number) => Math.round(value * 10) / 10;

/** Polynomial of the Equal Earth projection (Šavrič, Patterson and Jenny, 2018): colours fill true areas. */
const [a1, a2, a3, a4] = [1.340264, -0.081106, 0.000893, 0.003796];
const root3 = Math.sqrt(3);
/** Half the width of the whole Earth in the projection's units. */
const halfWidth = (2 * root3 * Math.PI) / (3 * a1);
const unit = mapSize.width / (2 * halfWidth);
/** Where the picture begins at its top: a little north of Greenland. */
const topLatitude = 84;

function equalEarth(longitude: number, latitude: number): [number, number] {
  const radians = Math.PI / 180;
  const t = Math.asin((root3 / 2) * Math.sin(latitude * radians));
  const [t2, t6] = [t * t, t ** 6];
  return [
    (2 * root3 * longitude * radians * Math.cos(t)) / (3 * (a1 + 3 * a2 * t2 + t6 * (7 * a3 + 9 * a4 * t2))),
    t * (a1 + a2 * t2 + t6 * (a3 + a4 * t2)),
  ];
}

const [, top] = equalEarth(0, topLatitude);

/** Degrees to the picture's units, from its upper left corner. */
export function project(longitude: number, latitude: number): [number, number] {
  const [x, y] = equalEarth(longitude, latitude);
  return [(x + halfWidth) * unit, (top - y) * unit];
}

export interface Step {
  from: number;
  to: number;
  countries: number;
}

/**
 * Quantile steps over values above zero, at most `max`: each holds about as many countries as the next, and equal
 * values are never in two steps (ui.md §5).
 */
export function quantileSteps(values: readonly number[], max: number): Step[] {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const steps: Step[] = [];
  for (const [at, value] of sorted.entries()) {
    const last = steps.at(-1);
    const due = Math.floor((at * max) / sorted.length) >= steps.length;
    if (last === undefined || (due && value !== last.to)) steps.push({ from: value, to: value, countries: 1 });
    else {
      last.to = value;
      last.countries++;
    }
  }
  return steps;
}
