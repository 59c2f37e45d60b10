/**
 * A call of the desk's API as a line for a POSIX shell. The key stays a variable, so that a copied text holds no secret.
 *
 * @param origin of the desk, `https://stats.example`
 * @param path with its query
 */
export function curlText(origin: string, { method, path, body }: ApiCall): string {
  const parts = [
    `curl${method === 'GET' ? '' : ` -X ${method}`} ${quoted(origin + path)}`,
    '-H "Authorization: Bearer $FAIRLEAD_KEY"',
    ...(body === undefined
      ? []
      : [`-H 'Content-Type: application/json'`, `--data-raw ${quoted(JSON.stringify(body, null, 2))}`]),
  ];
  return parts.join(' \\\n  ');
}

export interface ApiCall {
  method: 'GET' | 'POST';
  path: string;
  body?: object;
}

/** Between single quotes a shell reads everything as it stands, but for a single quote itself. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
