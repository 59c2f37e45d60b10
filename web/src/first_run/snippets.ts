/** The four ways to put the tracker on a site, as text to copy. */
export const snippetKinds = ['html', 'npm', 'wordpress', 'tagmanager'] as const;
export type SnippetKind = (typeof snippetKinds)[number];

export const snippetLabels: Record<SnippetKind, string> = {
  html: 'HTML',
  npm: 'npm',
  wordpress: 'WordPress',
  tagmanager: 'Tag manager',
};

export const snippetPlaces: Record<SnippetKind, (domain: string) => string> = {
  html: (domain) => `Paste it before the closing head tag of ${domain}, then open any page of the site.`,
  npm: () => 'Call it once, in the browser, where the application starts. On a server it does nothing.',
  wordpress: () => 'Put it into functions.php of the child theme, or into a plugin for code snippets.',
  tagmanager: () => 'Make a tag of type Custom HTML, fire it on all pages, and publish the container.',
};

/** `address` is where this desk is reached from outside, without a slash at its end. */
export function snippet(kind: SnippetKind, domain: string, address: string): string {
  const source = `${address}/js/fairlead.js`;
  switch (kind) {
    case 'html':
      return `<script defer\n  data-domain="${domain}"\n  src="${source}"></script>`;
    case 'npm':
      return `import { init } from '@fairlead/sdk';\n\ninit({ domain: '${domain}', endpoint: '${address}/api/event' });`;
    case 'wordpress':
      return `add_action('wp_head', function () { ?>\n  <script defer\n    data-domain="${domain}"\n    src="${source}"></script>\n<?php });`;
    case 'tagmanager':
      // A tag manager drops attributes it does not know, so the element is made by hand.
      return `<script>\n  var s = document.createElement('script');\n  s.defer = true;\n  s.dataset.domain = '${domain}';\n  s.src = '${source}';\n  document.head.appendChild(s);\n</script>`;
  }
}

export interface Piece {
  kind: 'plain' | 'string' | 'tag' | 'attribute';
  text: string;
}

/** Splits a snippet into pieces to colour: strings, tags and attribute names. The pieces joined are the snippet. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  const pattern = /("[^"\n]*"|'[^'\n]*')|(<\/?script|>|<\?php)|(\b(?:defer|data-domain|src)\b(?==|\s))/g;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) found.push({ kind: 'plain', text: text.slice(at, match.index) });
    found.push({
      kind: match[1] !== undefined ? 'string' : match[2] !== undefined ? 'tag' : 'attribute',
      text: match[0],
    });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ kind: 'plain', text: text.slice(at) });
  return found;
}
