import type { Session } from '../browser/journey.ts';
import { load, must, type Proof, type ProofContext, type Sabotage } from './kit.ts';

/**
 * Promises about the visitor's device, shown in a real Chromium: one session on a page whose every storage is a trap,
 * with the tracker built from the sources that are proved (test/browser/journey.ts plays and reads it).
 */

export async function played(
  context: ProofContext,
): Promise<{ session: Session; faults: { id: string; fact: string }[] }> {
  return context.share('browser session', async () => {
    const [{ launch }, { playSession, faultsOf }, { buildTracker }] = await Promise.all([
      import('../browser/chromium.ts'),
      import('../browser/journey.ts'),
      load<typeof import('../../sdk/build.ts')>(context, 'sdk/build.ts'),
    ]);
    const { code } = await buildTracker();
    const browser = await launch();
    try {
      const session = await playSession(browser, code);
      return { session, faults: faultsOf(session) };
    } finally {
      await browser.close();
    }
  });
}

function inBrowser(id: string, title: string, seen: (session: Session) => string, sabotage: Sabotage): Proof {
  return {
    id,
    title,
    minutes: 2,
    async run(context) {
      const { session, faults } = await played(context);
      const [fault] = faults.filter((one) => one.id === id);
      must(fault === undefined, fault?.fact ?? '');
      return seen(session);
    },
    sabotage,
  };
}

const start = 'sdk/src/start.ts';
const tracker = 'sdk/src/tracker.ts';

export const proofs: readonly Proof[] = [
  inBrowser(
    'COL-01',
    'The tracker reads and writes no storage of the device: none of the traps springs and nothing is left behind.',
    ({ beacons }) => `${beacons.length} events of a whole session; no trap sprang, nothing was left on the device`,
    {
      name: 'one read of localStorage, its error swallowed',
      file: start,
      find: 'const { hash, include, exclude, contact, transform } = settings;',
      replace:
        'const { hash, include, exclude, contact, transform } = settings; try { localStorage.getItem("off"); } catch {}',
    },
  ),
  inBrowser(
    'COL-02',
    'What the page knows is gone when it is: a reload and a new tab share nothing with it.',
    ({ loads }) => `${loads.length} loads of one page, no value in common`,
    {
      name: 'the same id on every page',
      file: start,
      find: 'crypto.getRandomValues(new Uint32Array(4)).join()',
      replace: '"1234567890123456789012"',
    },
  ),
  inBrowser(
    'COL-03',
    'The tracker shows nothing, asks for no consent and adds one name to the page.',
    ({ globals }) => `the document is that of a page without it; window has ${globals.join()} more`,
    {
      name: 'a banner',
      file: tracker,
      find: 'fairlead.loaded = true;',
      replace: 'fairlead.loaded = true; document.body.append("We value your privacy");',
    },
  ),
  inBrowser(
    'COL-09',
    'Links lead where they led: nothing of the visitor is added to them.',
    ({ followed }) => `${followed.length} links followed to another host, none with a parameter of ours`,
    {
      name: 'links that carry the visitor',
      file: tracker,
      find: 'fairlead.loaded = true;',
      replace: 'fairlead.loaded = true; for (const link of document.links) link.search += "&visitor=1";',
    },
  ),
  inBrowser(
    'COL-17',
    'Nothing that autofill or a script puts into a form leaves the page.',
    () => 'a name that autofill put in did not leave the page, plain or encoded',
    {
      name: 'fields are sent when they change',
      file: tracker,
      find: 'fairlead.loaded = true;',
      replace:
        'fairlead.loaded = true; addEventListener("change", (event) => fairlead("Field", { props: { value: (event.target as HTMLInputElement).value } }));',
    },
  ),
  inBrowser(
    'COL-18',
    'No value of a field, no password and no text of the page is ever sent.',
    () => 'typed texts, a password, a choice, a hidden field and the text of elements stayed in the page',
    {
      name: 'the values of a submitted form',
      file: start,
      find: "track('Form: Submission');",
      replace:
        "track('Form: Submission', { props: Object.fromEntries(new FormData(nodes[0] as unknown as HTMLFormElement)) as Record<string, string> });",
    },
  ),
];
