import type { OpenApi, Operation } from '../platform/http/openapi.ts';

/** The API as a page: no script, so that it reads in every browser and prints. */
export function apiPage(
  api: OpenApi,
  errorCodes: readonly (readonly string[])[],
  warnings: readonly (readonly string[])[],
): string {
  const calls = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const groups = api.tags.map(({ name }) => ({
    name,
    calls: calls.filter(({ operation }) => operation.tags.includes(name)),
  }));
  const [server] = api.servers;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Fairlead</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<header>
<p><a href="/">Fairlead</a></p>
<h1>API</h1>
<p>Version ${text(api.info.version)}. ${text(api.info.description)} The same as a document for programs:
<a href="/api/openapi.json">OpenAPI ${text(api.openapi)}</a>.</p>
</header>
<nav aria-label="Calls">
${groups.map(({ name, calls }) => `<h2>${text(name)}</h2>\n<ul>\n${calls.map(({ path, method, operation }) => `<li><a href="#${operation.operationId}"><b>${method}</b> ${breakable(path)}</a></li>`).join('\n')}\n</ul>`).join('\n')}
<h2><a href="#errors">Error codes</a></h2>
</nav>
<main>
${groups.map(({ name, calls }) => `<section>\n<h2>${text(name)}</h2>\n${calls.map((call) => callText(call, server?.url ?? '')).join('\n')}\n</section>`).join('\n')}
<section>
<h2 id="errors">Error codes</h2>
<p>Each error is <code>{"error": {"code", "message", "field"?, "request_id"}}</code>. The code is stable, the message may be reworded.</p>
<div class="wide" role="region" aria-labelledby="errors" tabindex="0"><table>
<thead><tr><th>Code</th><th>Status</th><th>What it means</th><th>What to do</th></tr></thead>
<tbody>
${rowsOf(errorCodes)}
</tbody>
</table></div>
<h2 id="warnings">Warnings in an answer</h2>
<p>An answer that is not the whole of what was asked says so in its <code>meta</code>. These codes are stable too.</p>
<div class="wide" role="region" aria-labelledby="warnings" tabindex="0"><table>
<thead><tr><th>Code</th><th>Where</th><th>What it means</th></tr></thead>
<tbody>
${rowsOf(warnings)}
</tbody>
</table></div>
</section>
</main>
</body>
</html>
`;
}

function rowsOf(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `<tr>${cells.map((cell) => `<td>${marked(cell)}</td>`).join('')}</tr>`).join('\n');
}

interface Call {
  path: string;
  method: string;
  operation: Operation;
}

function callText({ path, method, operation }: Call, base: string): string {
  const parameters = operation.parameters ?? [];
  const body = operation.requestBody?.content['application/json']?.schema;
  const answers = Object.values(operation.responses).flatMap(({ content }) => content?.['application/json'] ?? []);
  const [answer] = answers.filter(({ schema }) => schema.$ref === undefined);
  return `<article id="${operation.operationId}">
<h3><b>${method}</b> ${breakable(path)}</h3>
<p>${text(operation.summary)}${operation.description === undefined ? '' : ` ${text(operation.description)}`}</p>
<p class="who">${text(whoOf(operation))}</p>
${parameters.length === 0 ? '' : `<table>\n<thead><tr><th>Parameter</th><th>In</th><th>Kind</th></tr></thead>\n<tbody>${parameters.map((each) => `<tr><td><code>${text(each.name)}</code>${each.required ? '' : ' (optional)'}</td><td>${each.in}</td><td>${text(String(each.schema.type ?? 'text'))}</td></tr>`).join('')}</tbody>\n</table>`}
<pre tabindex="0"><code>${text(curl(method, base + path + questionOf(parameters), operation))}</code></pre>
${body === undefined ? '' : schemaText('Body', body)}
${answer === undefined ? '' : schemaText('Answer', answer.schema)}
</article>`;
}

function whoOf({ security, ...operation }: Operation): string {
  const permission = operation['x-permission'];
  const scopes = security.flatMap(({ key }) => key ?? []);
  if (permission !== undefined)
    return `Needs ${permission}: a session whose role has it${scopes.length === 0 ? '; no key has' : `, or a key with ${scopes.join(' or ')}`}.`;
  return security.some((each) => Object.keys(each).length > 0) &&
    !security.some((each) => Object.keys(each).length === 0)
    ? 'Needs a session of the dashboard.'
    : 'Answers everybody.';
}

/** A call to copy, with the key as a variable of the shell. Names in braces are the reader's to fill in, and so is the body. */
function curl(method: string, url: string, { security, requestBody }: Operation): string {
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}'${url}'`];
  if (security.some((each) => 'key' in each) && !security.some((each) => Object.keys(each).length === 0))
    lines.push('-H "Authorization: Bearer $FAIRLEAD_KEY"');
  const schema = requestBody?.content['application/json']?.schema;
  if (schema !== undefined)
    lines.push(
      `-H 'Content-Type: application/json'`,
      `--data-raw '${JSON.stringify(exampleOf(schema)).replaceAll("'", "'\\''")}'`,
    );
  else if (requestBody !== undefined)
    lines.push(`-H 'Content-Type: application/octet-stream'`, `--data-binary '@file'`);
  return lines.join(' \\\n  ');
}

/** The part of the address that cannot be left out. */
function questionOf(parameters: NonNullable<Operation['parameters']>): string {
  const needed = parameters.filter((each) => each.in === 'query' && each.required);
  return needed.length === 0 ? '' : `?${needed.map(({ name }) => `${name}={${name}}`).join('&')}`;
}

/** The least that a schema takes. */
function exampleOf(schema: Record<string, unknown>): unknown {
  const of = schema as {
    [word in 'anyOf' | 'oneOf' | 'prefixItems']?: Record<string, unknown>[];
  } & { const?: unknown; enum?: unknown[]; type?: string; minimum?: number; required?: string[]; minItems?: number } & {
    properties?: Record<string, Record<string, unknown>>;
    items?: Record<string, unknown>;
  };
  const [first] = of.anyOf ?? of.oneOf ?? [];
  if (first !== undefined) return exampleOf(first);
  if (of.const !== undefined) return of.const;
  if (of.enum !== undefined) return of.enum[0];
  switch (of.type) {
    case 'object':
      return Object.fromEntries((of.required ?? []).map((name) => [name, exampleOf(of.properties?.[name] ?? {})]));
    case 'array':
      return of.prefixItems?.map(exampleOf) ?? (of.items === undefined ? [] : [exampleOf(of.items)]);
    case 'integer':
    case 'number':
      return Math.max(1, of.minimum ?? 1);
    case 'boolean':
      return true;
    default:
      return '…';
  }
}

function schemaText(title: string, schema: object): string {
  return `<details><summary>${title}</summary><pre tabindex="0"><code>${text(JSON.stringify(schema, undefined, 2))}</code></pre></details>`;
}

function text(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A long path breaks before its slashes, where a reader expects it. */
function breakable(path: string): string {
  return text(path).replaceAll('/', '<wbr>/');
}

/** The little Markdown that the table of the guide has: code, and links, whose words are enough here. */
function marked(cell: string): string {
  return text(cell)
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

/** The colours and sizes of the dashboard (web/src/styles/tokens.css), as far as a page of text needs them. */
export const apiPageStyle = `
:root {
  color-scheme: light dark;
  --page: light-dark(oklch(0.983 0.002 250), oklch(0.174 0.008 255));
  --surface: light-dark(oklch(1 0 0), oklch(0.208 0.009 255));
  --sunken: light-dark(oklch(0.966 0.003 250), oklch(0.238 0.01 255));
  --line: light-dark(oklch(0.915 0.005 250), oklch(0.298 0.012 255));
  --quiet: light-dark(oklch(0.42 0.016 250), oklch(0.79 0.01 255));
  --text: light-dark(oklch(0.23 0.018 250), oklch(0.95 0.004 255));
  --accent: light-dark(oklch(0.44 0.115 248), oklch(0.81 0.085 248));
}
* { box-sizing: border-box; }
html { scroll-padding-top: 16px; }
body {
  margin: 0 auto; padding: 24px 32px 64px; max-width: 1180px; background: var(--page); color: var(--text);
  font: 14px/1.5 Inter, system-ui, sans-serif;
  display: grid; grid-template-columns: 260px minmax(0, 1fr); column-gap: 40px;
}
header { grid-column: 1 / -1; max-width: 72ch; }
h1 { font-size: 24px; line-height: 32px; margin: 8px 0; }
h2 { font-size: 16px; line-height: 24px; margin: 32px 0 8px; }
main section:first-child h2 { margin-top: 16px; }
h3 { font: 600 14px/20px ui-monospace, monospace; margin: 0 0 8px; overflow-wrap: anywhere; }
p { margin: 0 0 8px; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding-bottom: 24px; font-size: 13px; }
nav h2 { font-size: 13px; line-height: 20px; margin: 16px 0 4px; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: 3px 0; color: var(--quiet); text-decoration: none; overflow-wrap: anywhere; }
nav li a:hover { color: var(--text); text-decoration: underline; }
nav b { font-size: 11px; letter-spacing: 0.02em; }
article { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 16px; margin: 0 0 16px; }
.who { color: var(--quiet); }
pre { background: var(--sunken); border-radius: 6px; padding: 12px; margin: 8px 0; overflow: auto; font: 13px/20px ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; font-size: 13px; }
summary { cursor: pointer; padding: 4px 0; color: var(--accent); width: max-content; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 8px 0; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; font-size: 13px; }
@media (max-width: 800px) {
  body { display: block; padding: 16px 16px 48px; }
  nav { position: static; max-height: none; }
  nav li a { padding: 10px 0; }
  summary { padding: 10px 0; }
}
@media print { nav { display: none; } body { display: block; } }
`;
