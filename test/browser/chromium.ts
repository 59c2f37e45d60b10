import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/**
 * Debian's build of the same Chromium without windows: pages in it take a quarter less of the processor. It has no focus
 * that moves between windows and no back-forward cache, which trackers are tested with.
 */
const withoutWindows = '/usr/bin/chromium-headless-shell';
/** Where the packages of Debian, Ubuntu, Fedora, Arch and the macOS installers put it. */
const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser's own traffic off, so that a test sees no request but those of its page. */
const quietArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * The path of the Chromium that tests use: `FAIRLEAD_CHROMIUM`, or the first of the usual places.
 *
 * @param windows false: the one without windows comes first, if it is there
 */
const chromiumPath = (windows: boolean): string => {
  const named = process.env.FAIRLEAD_CHROMIUM;
  if (named && !existsSync(named))
    throw new Error(`FAIRLEAD_CHROMIUM names ${named}, where no file is: correct it or unset it.`);
  const paths = windows ? usualPaths : [withoutWindows, ...usualPaths];
  const path = named || paths.find((usual) => existsSync(usual));
  if (path) return path;
  throw new Error(
    process.platform === 'darwin'
      ? 'The browser tests need Chromium: run `brew install --cask chromium`, or name one in FAIRLEAD_CHROMIUM.'
      : 'The browser tests need Chromium: run `apt-get install -y chromium` as root, or name one in FAIRLEAD_CHROMIUM.',
  );
};

/**
 * Off: the lists under an address bar that no one sees. Each context gets a window with two of them, each a page of its
 * own in a process of its own: four fifths of what a context took. Off too: the process that is kept ready for the next
 * page, which starts one more each time. The others are those that Playwright turns off; of two such lists the browser
 * reads the last one.
 */
const offFeatures = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'SpareRendererForSitePerProcess',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];

/**
 * Off in the browser without windows: a part of the renderer that is made anew for each page of a tab, though the page
 * before it was of the same site. A page took 746 ms of the processor with it and 582 without.
 */
const offWithoutWindows = ['RenderDocument'];

/**
 * A page of a test lives for seconds. The compiler of code that runs for long, the one before it where code is not run
 * for seconds (as the work of a network that guessed is), and the threads that tidy memory beside the page, took a third
 * of what pages cost on two cores and gave nothing back.
 */
const shortLived = '--js-flags=--no-turbofan --interrupt-budget-for-maglev=5000000 --single-threaded-gc';

/**
 * Starts a headless Chromium for one test file; the caller closes it.
 *
 * @param args further switches, for example `--host-resolver-rules=MAP shop.example 127.0.0.1`
 * @param windows the browser as people have it; false for pages that ask nothing of their window
 * @param measured with the scripts' engine as people have it, for what measures how fast pages are
 * @param backForwardCache keep left pages alive, as browsers do for people and Playwright does not by default
 */
export const launch = ({
  args = [],
  windows = true,
  measured = false,
  backForwardCache = false,
}: {
  args?: readonly string[];
  windows?: boolean;
  measured?: boolean;
  backForwardCache?: boolean;
} = {}): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(windows),
    headless: true,
    args: [
      ...quietArgs,
      `--disable-features=${[...offFeatures, ...(windows ? [] : offWithoutWindows)].join()}`,
      ...(measured ? [] : [shortLived]),
      ...args,
    ],
    ignoreDefaultArgs: backForwardCache ? ['--disable-back-forward-cache'] : [],
  });
