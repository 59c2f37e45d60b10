import { isIP } from 'node:net';

/**
 * A domain as people paste it, to the form a site is known by: no scheme, port, path or leading `www.`, lower
 * case, international names in their ASCII form. Undefined when what is left is no host name.
 */
export function readDomain(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || /[\s@?#\\]/.test(trimmed)) return undefined;
  let host: string;
  try {
    host = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`).hostname;
  } catch {
    return undefined;
  }
  const name = host.replace(/\.$/, '').replace(/^www\./, '');
  if (name === 'localhost') return name;
  if (isIP(name) !== 0 || name.length > 253 || !name.includes('.')) return undefined;
  return name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/.test(label)) ? name : undefined;
}
