import { pictureSideMax } from '../../contract/limits.ts';
import { RequestError } from '../platform/http/route.ts';

type PictureKind = 'image/png' | 'image/jpeg' | 'image/webp';

/** By the first bytes, never by what a sender says. */
function kindOf(bytes: Buffer): PictureKind | undefined {
  if (bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))) return 'image/png';
  if (bytes.length > 3 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  if (bytes.subarray(0, 4).toString('latin1') === 'RIFF' && bytes.subarray(8, 12).toString('latin1') === 'WEBP')
    return 'image/webp';
  return undefined;
}

type Size = { width: number; height: number };

const sizeOf: Record<PictureKind, (bytes: Buffer) => Size | undefined> = {
  // The first chunk is IHDR and begins with both (PNG, third edition, 11.2.1).
  'image/png': (bytes) =>
    bytes.length >= 24 && bytes.subarray(12, 16).toString('latin1') === 'IHDR'
      ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
      : undefined,
  'image/jpeg': jpegSize,
  'image/webp': webpSize,
};

/** The first frame header (T.81, B.2.2): a marker of C0 to CF without C4, C8 and CC, which are tables and an extension. */
function jpegSize(bytes: Buffer): Size | undefined {
  for (let at = 2; at + 9 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] as number;
    // A marker may be filled up with FF.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** RFC 9649: the canvas of an extended file, else the frame of its only chunk. */
function webpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30) return undefined;
  switch (bytes.subarray(12, 16).toString('latin1')) {
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    default:
      return undefined;
  }
}

/**
 * A picture that somebody gives, by its own bytes. Nothing here unpacks it, browsers do: a small file may unfold into
 * gigabytes there, so the size that it says is held against a limit.
 * @throws RequestError invalid_field, of this field
 */
export function readPicture(bytes: Buffer, field: string): PictureKind {
  const kind = kindOf(bytes);
  if (kind === undefined)
    throw new RequestError(
      'invalid_field',
      'This is no PNG, JPEG or WebP picture: its first bytes say something else. Pictures of other kinds, SVG among them, can carry programs and are not taken. Save it as one of the three.',
      { field },
    );
  const size = sizeOf[kind](bytes);
  if (size === undefined || size.width < 1 || size.height < 1)
    throw new RequestError(
      'invalid_field',
      'This picture does not say how large it is: the file is damaged, or cut off. Save it anew.',
      { field },
    );
  if (size.width > pictureSideMax || size.height > pictureSideMax)
    throw new RequestError(
      'invalid_field',
      `This picture is ${size.width} × ${size.height} pixels. At most ${pictureSideMax} × ${pictureSideMax} are taken; make it smaller.`,
      { field },
    );
  return kind;
}
