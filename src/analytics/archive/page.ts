import type { ArchiveManifest } from '../../../contract/organisation_archives.ts';
import { escapedWords as escaped } from '../../platform/http/plain_page.ts';

/** `index.html`: what is in the archive, for who opens it years later without this product at hand. */
export function archivePage({
  organisation,
  made_at,
  files,
  left_out,
  columns_left_out,
  unopened,
}: ArchiveManifest): string {
  const rows = files.map(
    ({ name, what, rows: count, bytes, sha256 }) =>
      `<tr><td><a href="${escaped(name.split('/').map(encodeURIComponent).join('/'))}">${escaped(name)}</a></td><td>${escaped(what)}</td><td>${count}</td><td>${bytes}</td><td><code>${sha256}</code></td></tr>`,
  );
  const missing = left_out.map(({ table, why }) => `<li><code>${escaped(table)}</code>: ${escaped(why)}</li>`);
  const columns = Object.entries(columns_left_out).map(
    ([table, names]) => `<li><code>${escaped(table)}</code>: ${names.map(escaped).join(', ')}</li>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Archive of ${escaped(organisation.name)}</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{border:1px solid;padding:.3em .6em;text-align:left;overflow-wrap:anywhere}code{font-size:.8em}</style></head><body><main><h1>Archive of ${escaped(organisation.name)}</h1><p>Begun ${escaped(made_at)}. Events until then are in it. Each file of lines has one row a line, as JSON. The files events.ndjson and plausible.zip can be imported into a desk again: <code>fairlead import events</code> and <code>fairlead import plausible</code>. <a href="manifest.json">manifest.json</a> says the same as this page, for programs; <code>sha256sum</code> shows whether a file is as it was made.</p><h2>What is in it</h2><table><thead><tr><th scope="col">file</th><th scope="col">what it is</th><th scope="col">rows</th><th scope="col">bytes</th><th scope="col">SHA-256</th></tr></thead><tbody>${rows.join('')}</tbody></table>${
    unopened === 0
      ? ''
      : `<p>${unopened} sealed values could not be opened: the key of whom they were about was destroyed. Null stands in their place.</p>`
  }<h2>What is not in it</h2><ul>${missing.join('')}</ul><h2>Columns that are not in it</h2><p>Secrets, and digests that say nothing outside of the desk.</p><ul>${columns.join('')}</ul></main></body></html>`;
}
