import { crc32, deflateSync } from 'node:zlib';

/** Pixels of the picture; it is shown at half of it, so that it is sharp on dense screens. */
export const pictureSize = { width: 1120, height: 280, shownWidth: 560, shownHeight: 140 } as const;

/** Red, green, blue, alpha. */
const channels = 4;
type Colour = readonly [number, number, number];
/** A mail is read on white or on near black, and a picture cannot ask which: these stand 3:1 and more on both. */
const colours = {
  grid: [128, 140, 152],
  line: [47, 128, 205],
} as const satisfies Record<string, Colour>;
const gridPart = 0.3;
const lineWidth = 4;
const edge = 14;
/** The area under the line, as strong as on the overview. */
const areaPart = 0.12;

/**
 * The course of a period as a PNG without a ground: a line over four grid lines, from zero, without letters, since mail programs have
 * other ways to read them. Drawn here: a browser for one line would be a machine beside the desk.
 * @param values one for each step, at least one
 */
export function drawCourse(values: readonly number[]): Buffer {
  const { width, height } = pictureSize;
  const pixels = Buffer.alloc(width * height * channels);
  const top = Math.max(1, ...values);
  const base = height - edge;
  const points = values.map((value, index) => ({
    x: values.length === 1 ? width / 2 : edge + ((width - 2 * edge) * index) / (values.length - 1),
    y: base - ((base - edge) * value) / top,
  }));
  for (const part of [0, 1 / 3, 2 / 3, 1]) drawGridLine(pixels, Math.round(base - (base - edge) * part));
  fillBelow(pixels, points, base);
  const [only] = points;
  if (points.length === 1 && only !== undefined) drawSegment(pixels, only, only, lineWidth * 2);
  for (let index = 1; index < points.length; index++)
    drawSegment(pixels, points[index - 1] as Point, points[index] as Point, lineWidth);
  return writePng(pixels, width, height);
}

interface Point {
  x: number;
  y: number;
}

/** Lays a colour over what is there, by "source over" of Porter and Duff; colours are kept unmultiplied, as PNG has them. */
function blend(pixels: Buffer, x: number, y: number, colour: Colour, part: number): void {
  const at = (y * pictureSize.width + x) * channels;
  const below = ((pixels[at + 3] as number) / 255) * (1 - part);
  const covered = part + below;
  for (let channel = 0; channel < 3; channel++)
    pixels[at + channel] = Math.round(
      ((colour[channel] as number) * part + (pixels[at + channel] as number) * below) / covered,
    );
  pixels[at + 3] = Math.round(covered * 255);
}

function drawGridLine(pixels: Buffer, y: number): void {
  for (let x = edge; x < pictureSize.width - edge; x++) {
    blend(pixels, x, Math.min(y, pictureSize.height - 1), colours.grid, gridPart);
    blend(pixels, x, Math.max(0, y - 1), colours.grid, gridPart);
  }
}

function fillBelow(pixels: Buffer, points: readonly Point[], base: number): void {
  for (let index = 1; index < points.length; index++) {
    const [from, to] = [points[index - 1] as Point, points[index] as Point];
    for (let x = Math.ceil(from.x); x < to.x; x++) {
      const y = from.y + ((to.y - from.y) * (x - from.x)) / (to.x - from.x);
      for (let row = Math.ceil(y); row < base; row++) blend(pixels, x, row, colours.line, areaPart);
    }
  }
}

/** A stroke with round ends: a pixel is covered by as much as its centre lies within half of the width, softened by one. */
function drawSegment(pixels: Buffer, from: Point, to: Point, stroke: number): void {
  const reach = stroke / 2 + 1;
  const [left, right] = [Math.min(from.x, to.x) - reach, Math.max(from.x, to.x) + reach];
  const [upper, lower] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach];
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  for (let y = Math.max(0, Math.floor(upper)); y <= Math.min(pictureSize.height - 1, Math.ceil(lower)); y++)
    for (let x = Math.max(0, Math.floor(left)); x <= Math.min(pictureSize.width - 1, Math.ceil(right)); x++) {
      const along = length2 === 0 ? 0 : ((x - from.x) * dx + (y - from.y) * dy) / length2;
      const near = Math.max(0, Math.min(1, along));
      const distance = Math.hypot(x - from.x - near * dx, y - from.y - near * dy);
      const part = Math.max(0, Math.min(1, stroke / 2 - distance + 0.5));
      if (part > 0) blend(pixels, x, y, colours.line, part);
    }
}

/** RGB with alpha, eight bits, each row unfiltered (PNG, third edition, 5 to 11): grounds and lines pack well as they are. */
function writePng(pixels: Buffer, width: number, height: number): Buffer {
  const rowBytes = width * channels;
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) pixels.copy(rows, y * (rowBytes + 1) + 1, y * rowBytes, (y + 1) * rowBytes);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const made = Buffer.alloc(body.length + 8);
  made.writeUInt32BE(data.length, 0);
  body.copy(made, 4);
  made.writeUInt32BE(crc32(body), body.length + 4);
  return made;
}
