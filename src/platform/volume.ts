import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Is the disk under a folder encrypted, as far as the system says? Linux names the layers of a block device; anything else
 * (a container's overlay, a network share, another system, hardware or a provider that encrypts below) cannot be told.
 */
export function volumeEncryption(folder: string, sys = '/sys/dev/block'): 'dm-crypt' | 'none-seen' | 'unknown' {
  let device: number;
  try {
    device = statSync(folder).dev;
  } catch {
    return 'unknown';
  }
  // The numbers as the C library packs them.
  const major = ((device >>> 8) & 0xfff) | (Math.floor(device / 2 ** 32) & ~0xfff);
  const minor = (device & 0xff) | (Math.floor(device / 2 ** 12) & 0xfff00);
  const block = `${sys}/${major}:${minor}`;
  return existsSync(block) ? layersOf(block, 0) : 'unknown';
}

const layersMax = 8;

function layersOf(block: string, depth: number): 'dm-crypt' | 'none-seen' {
  if (depth > layersMax) return 'none-seen';
  try {
    if (readFileSync(`${block}/dm/uuid`, 'utf8').startsWith('CRYPT-')) return 'dm-crypt';
  } catch {}
  const below = existsSync(`${block}/slaves`) ? readdirSync(`${block}/slaves`) : [];
  return below.some((name) => layersOf(`${block}/slaves/${name}`, depth + 1) === 'dm-crypt') ? 'dm-crypt' : 'none-seen';
}
