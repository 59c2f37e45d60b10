/**
 * The token of a mail's link stands in the fragment, which no server and no log ever sees. It is taken out of the
 * address at once, so that it is in no history and no screenshot either.
 */
const taken = new Map<string, string>();

export function takeToken(): string | undefined {
  const { pathname, search, hash } = window.location;
  const found = new URLSearchParams(hash.slice(1)).get('token');
  if (found !== null && found !== '') {
    taken.set(pathname, found);
    history.replaceState(null, '', pathname + search);
  }
  return taken.get(pathname);
}
