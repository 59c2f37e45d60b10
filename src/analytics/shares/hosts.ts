/**
 * A host as a policy of frames takes it: `www.shop.example`, `shop.example:8080`, or `*.shop.example` for all that is
 * under it. What people copy from an address bar is read too. Undefined: it is none.
 */
export function readHost(text: string): string | undefined {
  const bare = text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
  const under = bare.startsWith('*.');
  let host: string;
  try {
    host = new URL(`http://${under ? bare.slice(2) : bare}`).host;
  } catch {
    return undefined;
  }
  // What is not a plain host would be another source, or none, in the policy it becomes part of.
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/.test(host) || /[@?#\\\s]/.test(bare)) return undefined;
  if (under && !/^[^.]+\.[^.]/.test(host)) return undefined;
  return under ? `*.${host}` : host;
}
