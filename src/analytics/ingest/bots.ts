import { isbot } from 'isbot';
import { userAgentCharsMax } from './agent.ts';
import { remembering } from './memo.ts';

/**
 * Why a hit is taken for a robot's: stored on the row in `bot_events`, so that the decision can be examined.
 *
 * - `ua_pattern`: the User-Agent says so, which is unmistakable and enough alone.
 * - `ua_missing`, `header_heuristics`, `client_signals`: at least two kinds of evidence agree, this being the
 *   strongest. One alone never hides a visit: a server that forwards events has no browser's headers, a privacy tool
 *   changes some, and a test machine has an odd screen.
 */
export const botRules = ['ua_pattern', 'client_signals', 'header_heuristics', 'ua_missing'] as const;

export type BotRule = (typeof botRules)[number];

/** Lower-case request header names to values, as Node gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export type BotEvidence = {
  readonly userAgent: string;
  /** Undefined, or without `host`, where there was no request of its own: imports, `explain`. */
  readonly headers?: RequestHeaders | undefined;
  /** `WxH` as the tracker sent it. */
  readonly screen?: string | undefined;
};

/** Says which rule takes a hit for a robot's, or undefined for a person's. A User-Agent seen before costs 0.3 µs. */
export function detectBot(evidence: BotEvidence): { readonly rule: BotRule } | undefined {
  const userAgent =
    evidence.userAgent.length > userAgentCharsMax ? evidence.userAgent.slice(0, userAgentCharsMax) : evidence.userAgent;
  if (isRobotAgent(userAgent)) return { rule: 'ua_pattern' };
  const headers = evidence.headers;
  const brands = headers?.['sec-ch-ua'];
  if (typeof brands === 'string' && brands.includes('HeadlessChrome')) return { rule: 'ua_pattern' };

  const hasOddScreen = evidence.screen !== undefined && isRobotScreen(evidence.screen);
  const hasContradiction = headers !== undefined && contradictsItself(userAgent, headers);
  const hasFewHeaders = headers !== undefined && isBare(headers);
  const hasNoAgent = headers?.host !== undefined && userAgent === '';
  const kinds = Number(hasOddScreen) + Number(hasContradiction) + Number(hasFewHeaders) + Number(hasNoAgent);
  if (kinds < 2) return undefined;
  if (hasOddScreen) return { rule: 'client_signals' };
  return { rule: hasContradiction ? 'header_heuristics' : 'ua_missing' };
}

/** Verdicts, never the User-Agents themselves; at most twice this many, see memo.ts. */
export const rememberedVerdictsMax = 10_000;

const isRobotAgent = remembering({
  keysMax: rememberedVerdictsMax,
  keyCharsMax: userAgentCharsMax,
  answer: (userAgent) => robotsThatIsbotMisses.test(userAgent) || (isbot(userAgent) && !isRealDevice(userAgent)),
});

/** Measured on crawler-user-agents 1.60.0 (MIT): the agents of it that isbot 5.2.3 misses and that are no person's. */
const robotsThatIsbotMisses = /\bGTmetrix\b|\bMiniature\.io\b|\bYLT\b|\bTSM-turingos\b|\bLighthouse\b|\bPuppeteer\b/i;

/**
 * A second look at what isbot flags. Its patterns are bare words, and telephones, readers' apps and browsers carry some
 * of them in their names ("Land Rover Discovery", "SmartNews", "SogouMobileBrowser"); each such place is taken out and
 * the rest looked at again. What remains flagged is a robot.
 */
function isRealDevice(userAgent: string): boolean {
  if (oldTelephone.test(userAgent)) return !saysRobot.test(userAgent);
  const rest = userAgent.replace(androidModel, '(Linux; Android)').replace(appsOfPeople, ' ');
  return rest !== userAgent && !isbot(rest);
}

/** The profile that every Java telephone named; its "Java/" looks like a programming language's to isbot. */
const oldTelephone = /\bProfile\/MIDP-\d/i;
const saysRobot = /bot\b|crawl|spider|agent\b|https?:|@/i;
/** In `(Linux; Android 13; MODEL Build/…)` the maker chose the words; a robot that poses as one says "bot" even there. */
const androidModel =
  /\(Linux;(?: U;)?(?: arm_64;)? Android[ \d.]*;(?![^)]{0,120}(?:(?<!cu)bot\b|compatible|https?:))[^()]{0,80}(?:\([^()]{0,20}\)[^()]{0,40})?\)/i;
const appsOfPeople =
  /\b(?:NewsArticle|NewsLite|NewsApp|SmartNews|BBCNews|[A-Z]\w{1,20}News)\b[/ ]?[\d.]*|\bSogou(?:MSE|MobileBrowser|Search)\b[,/\d.]*|\bCursor\/[\d.]+(?= Chrome\/)/g;

/** 800x600 is what a browser without a screen reports, 0x0 one that never drew. 1024x768 is an old iPad's too. */
function isRobotScreen(screen: string): boolean {
  return screen === '800x600' || screen === '0x0' || screen === '600x800';
}

/** Every browser sends both with every request. Many HTTP libraries send neither. */
function isBare(headers: RequestHeaders): boolean {
  return headers.host !== undefined && headers['accept-language'] === undefined && headers.accept === undefined;
}

/** Do the client hints name another browser release or system than the User-Agent? A browser derives both from one. */
function contradictsItself(userAgent: string, headers: RequestHeaders): boolean {
  const brands = headers['sec-ch-ua'];
  if (typeof brands !== 'string') return false;
  const hinted = /"Chromium";\s?v="(\d{1,4})/.exec(brands)?.[1];
  const stated = / Chrome\/(\d{1,4})\./.exec(userAgent)?.[1];
  if (hinted !== undefined && hinted !== stated) return true;
  const platform = headers['sec-ch-ua-platform'];
  if (typeof platform !== 'string') return false;
  const words = agentWordOfPlatform[platform];
  return words !== undefined && !words.test(userAgent);
}

/** Android is left out: in "desktop site" mode it says it is Linux. */
const agentWordOfPlatform: Readonly<Record<string, RegExp>> = {
  '"Windows"': /Windows NT/,
  '"macOS"': /Macintosh/,
  '"Chrome OS"': /CrOS/,
  '"Linux"': /Linux/,
};
